// A hundred steps of each optimizer and option against PyTorch's (2.13, in double precision) on the same gradients.

#include "fixture.hpp"

namespace scry::optim {
namespace {

struct Golden {
  const char* expression;
  std::vector<double> weights;
};

class GoldenPath : public testing::TestWithParam<Golden> {};

std::vector<double> hundred_steps(const char* expression, DType dtype) {
  TestModel model{{{"w", Tensor::of<double>({1, -2, 0.5, 3}, {4})}}, {}};
  if (dtype == f32) model.parameters[0].tensor = Tensor::of<float>({1, -2, 0.5F, 3}, {4});
  const Tensor w = model["w"].requires_grad_();
  const std::vector<double> curvature{1, 0.1, 5, 0.01}, offset{0.3, -0.1, 0.2, 0.05};
  Optimizer optimizer = make_optimizer(expression, Registry{model});
  for (int t = 0; t < 100; ++t) {
    auto g = w.to_vector<double>();
    for (size_t i = 0; i < 4; ++i) g[i] = curvature[i] * g[i] + (t % 2 == 0 ? 1 : -1) * offset[i] * (1 + t % 7);
    optimizer.zero_grad();
    const NoGrad no_grad;
    give_gradient(w, cast(Tensor::of<double>(g, {4}), dtype));
    optimizer.step();
  }
  return w.to_vector<double>();
}

TEST_P(GoldenPath, MatchesInDouble) {
  const auto w = hundred_steps(GetParam().expression, f64);
  for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], GetParam().weights[i], 1e-12) << "weight " << i;
}

TEST_P(GoldenPath, MatchesInSinglePrecision) {
  const auto w = hundred_steps(GetParam().expression, f32);
  for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], GetParam().weights[i], 2e-5) << "weight " << i;
}

INSTANTIATE_TEST_SUITE_P(
    Torch, GoldenPath,
    testing::Values(
        Golden{"sgd(lr=0.05)", {0.05345673911732114, -1.2204759705741193, 0.03372785525834652, 2.856393172618397}},
        Golden{"sgd(lr=0.05, weight_decay=0.3)", {0.049608451774225855, -0.27920644019328034, 0.03350144809136273, 0.6356071482800317}},
        Golden{"sgd(lr=0.05, momentum=0.9)", {-0.0005664493198913454, 0.005235660811888435, 0.1326904756659523, 1.8328940673726895}},
        Golden{"sgd(lr=0.05, momentum=0.8, dampening=0.4, weight_decay=0.1)",
               {0.016914725052525604, -0.06893459918411458, 0.05918928359725822, 0.5329375696679634}},
        Golden{"sgd(lr=0.05, momentum=0.9, nesterov=true, weight_decay=0.1)",
               {0.08021117870718904, -0.015081055218333231, 0.08870983016029187, 0.005148923010111269}},
        Golden{"sgd(lr=0.001, momentum=0.5, maximize=true, weight_decay=0.1)",
               {1.1949438562469676, -2.00007131782946, 1.302768677115096, 2.9470318277907133}},
        Golden{"sgd(lr=0.001, maximize=true, weight_decay=0.1)", {1.093885490269829, -1.9999, 0.8152270440041403, 2.9730690493529153}},
        Golden{"adam(lr=0.02)", {0.21414911788082414, -1.2649451938888792, 0.002842948176701135, 2.704651928898482}},
        Golden{"adam(lr=0.02, beta1=0.5, beta2=0.9, eps=1e-3)", {0.25822802756631436, -1.3085216242054705, 0.008743386636159832, 2.733515803248447}},
        Golden{"adam(lr=0.02, weight_decay=0.2)", {0.16382445979756927, -0.7358887021439718, 0.002831665730731882, 1.3816788705132712}},
        Golden{"adam(lr=0.02, beta1=0, beta2=0.99)", {0.27955058658946336, -1.3198144810327175, 0.011869109561738941, 2.7436084953442252}}),
    [](const auto& each) { return text("Case", each.index); });

}  // namespace
}  // namespace scry::optim
