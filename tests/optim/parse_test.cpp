#include "fixture.hpp"
#include "support.hpp"

#include <gmock/gmock.h>

namespace scry::optim {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view expression, const std::vector<OptionValue>& defaults = {}) {
  return test::message_of([&] { check_optimizer(expression, defaults); });
}

TEST(Expression, ReadsAndPrints) {
  const std::pair<const char*, const char*> cases[] = {
      {"sgd", "sgd(lr=0.001)"},
      {"sgd()", "sgd(lr=0.001)"},
      {"sgd(lr=0.1, momentum=0.9, nesterov=true)", "sgd(lr=0.1, momentum=0.9, nesterov=true)"},
      {" adam ( lr = 1e-3,beta1=.5 ) ", "adam(lr=0.001, beta1=0.5, beta2=0.999, eps=1e-08)"},
      {"lookahead(adam, k=6, alpha=0.25)", "lookahead(adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08), k=6, alpha=0.25)"},
      {"lookahead(lookahead(sgd(lr=2), inner_state=pull_back), k=7)",
       "lookahead(lookahead(sgd(lr=2), k=5, alpha=0.5, inner_state=pull_back), k=7, alpha=0.5)"},
  };
  for (const auto& [written, printed] : cases) {
    const TestModel model = random_model({{4}}, 1);
    const Registry registry{model};
    {
      const Optimizer optimizer = make_optimizer(written, registry);
      EXPECT_EQ(optimizer.expression(), printed);
    }
    const Optimizer again = make_optimizer(printed, registry);
    EXPECT_EQ(again.expression(), printed) << "what is printed reads back";
  }
}

TEST(Expression, DefaultsFillWhatIsOpen) {
  const TestModel model = random_model({{4}}, 1);
  const Registry registry{model};
  EXPECT_EQ(make_optimizer("lookahead(sgd)", registry, {{"lr", 0.5}, {"k", 9}, {"beta1", 0.1}}).expression(),
            "lookahead(sgd(lr=0.5), k=9, alpha=0.5)");
  EXPECT_EQ(make_optimizer("lookahead(sgd(lr=2))", registry, {{"lr", 0.5}}).lr(), 2);
  EXPECT_THAT(error_of("sgd", {{"lr", -1}}), HasSubstr("sgd: lr is -1"));
}

TEST(Expression, ErrorsSayWhereAndWhatIsExpected) {
  EXPECT_THAT(error_of("adma"), HasSubstr("optimizer 'adma', column 1: there is no optimizer 'adma'; did you mean 'adam'? There are: sgd, adam"));
  EXPECT_THAT(error_of("lookahead(momentum)"),
              HasSubstr("optimizer 'lookahead(momentum)', column 11: there is no optimizer 'momentum'; there are: sgd"));
  EXPECT_EQ(error_of("adam(lr=fast)"), "optimizer 'adam(lr=fast)', column 9: lr is 'fast'; expected a number, at least 0");
  EXPECT_THAT(error_of("adam(beta=0.9)"),
              HasSubstr("optimizer 'adam(beta=0.9)', column 6: adam has no option 'beta'; did you mean 'beta1'? There are: lr, beta1, beta2, eps"));
  EXPECT_THAT(error_of(""), HasSubstr("column 1: expected the name of an optimizer, got the end"));
  EXPECT_THAT(error_of("sgd(lr=0.1"), HasSubstr("column 11: a ')' is missing"));
  EXPECT_THAT(error_of("sgd(lr=0.1 momentum=1)"), HasSubstr("column 12: expected ',' or ')', got 'm'"));
  EXPECT_THAT(error_of("sgd(lr=0.1,)"), HasSubstr("column 12: expected the name of an option, got ')'"));
  EXPECT_THAT(error_of("sgd(0.1)"), HasSubstr("column 5: expected option=value, got '0'"));
  EXPECT_THAT(error_of("sgd(lr=0.1, lr=0.2)"), HasSubstr("column 13: lr is given twice"));
  EXPECT_THAT(error_of("sgd(lr=)"), HasSubstr("lr is ''; expected a number"));
  EXPECT_THAT(error_of("sgd(lr=nan)"), HasSubstr("lr is 'nan'"));
  EXPECT_THAT(error_of("sgd(lr=1e999)"), HasSubstr("lr is '1e999'"));
  EXPECT_THAT(error_of("sgd(lr=0x10)"), HasSubstr("lr is '0x10'"));
  EXPECT_THAT(error_of("sgd(nesterov=maybe)"), HasSubstr("expected true or false"));
  EXPECT_THAT(error_of("sgd(nesterov=true)"), HasSubstr("nesterov needs momentum"));
  EXPECT_THAT(error_of("sgd) x"), HasSubstr("column 4: unexpected ') x' after the end"));
  EXPECT_THAT(error_of("lookahead"), HasSubstr("lookahead needs an optimizer inside, as in lookahead(adam)"));
  EXPECT_THAT(error_of("lookahead(k=5)"), HasSubstr("lookahead needs an optimizer inside"));
  EXPECT_THAT(error_of("lookahead(adam, sgd)"), HasSubstr("column 17: expected option=value, got 'sgd'"));
  EXPECT_THAT(error_of("lookahead(adam, k=0)"), HasSubstr("k is '0'; expected a whole number, at least 1"));
  EXPECT_THAT(error_of("lookahead(adam, k=2.5)"), HasSubstr("k is '2.5'"));
  EXPECT_THAT(error_of("lookahead(adam, k=1e300)"), HasSubstr("k is '1e300'"));
  EXPECT_THAT(error_of("lookahead(adam, alpha=1.5)"), HasSubstr("alpha is '1.5'; expected a number from 0 to 1"));
  EXPECT_THAT(error_of("lookahead(adam, inner_state=kept)"), HasSubstr("inner_state is 'kept'; expected keep, pull_back or reset"));
}

TEST(Expression, HostileOnesAreRefused) {
  std::string deep = "adam";
  for (int i = 0; i < 20; ++i) deep = "lookahead(" + deep + ")";
  EXPECT_THAT(error_of(deep), HasSubstr("more than 16 optimizers inside each other"));
  EXPECT_NE(error_of(std::string(100000, '(')), test::nothing_thrown);
  EXPECT_NE(error_of(std::string(100000, 'a')), test::nothing_thrown);
  EXPECT_NE(error_of(std::string("adam\0(lr=1)", 11)), test::nothing_thrown);
  EXPECT_NE(error_of("\xff\xfe"), test::nothing_thrown);
  Generator random(1);
  constexpr std::string_view letters = "lookahead(sgd,adm=0.1) _k";
  for (int i = 0; i < 20000; ++i) {
    std::string expression;
    for (int64_t n = random.below(30); n > 0; --n) expression += letters[static_cast<size_t>(random.below(static_cast<int64_t>(letters.size())))];
    error_of(expression);  // an Error or nothing
  }
}

TEST(Expression, UsagesNameEverything) {
  const auto usages = optimizer_usages();
  EXPECT_THAT(usages, ::testing::IsSupersetOf({"sgd(lr=0.001, momentum=0, dampening=0, weight_decay=0, nesterov=false, maximize=false)",
                                               "lookahead(optimizer, k=5, alpha=0.5, inner_state=keep, outer_momentum=0, adaptive=false, "
                                               "alpha_low=0, rollback=false, batch_norm=leave)"}));
  for (std::string usage : usages) {  // each is an expression, with an optimizer where it says so
    if (const size_t at = usage.find("(optimizer"); at != std::string::npos) usage.replace(at, 10, "(sgd");
    EXPECT_EQ(error_of(usage), test::nothing_thrown);
  }
}

}  // namespace
}  // namespace scry::optim
