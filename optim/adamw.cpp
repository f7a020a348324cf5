#include <scry/optim/adam_equation.hpp>
#include <scry/optim/adamw.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AdamWEquation {
  using Options = AdamWOptions;
  static constexpr std::string_view name = "adamw";
  static constexpr auto fields = adam_fields_and(fixed(field<&Options::amsgrad>("amsgrad")), field<&Options::maximize>("maximize"));
};

template <class Moments>
struct AdamWWithMoments : AdamWEquation, Moments {
  static auto step(const AdamWOptions& o, double t) {
    return Moments::step(
        {.lr = o.lr, .beta1 = o.beta1, .beta2 = o.beta2, .eps = o.eps, .weight_decay = o.weight_decay, .decoupled_weight_decay = true}, t);
  }
};

std::unique_ptr<UpdateRule> make_rule(const AdamWOptions& options) {
  if (options.amsgrad) return std::make_unique<ElementwiseRule<AdamWWithMoments<AMSGradMoments>>>(options);
  return std::make_unique<ElementwiseRule<AdamWWithMoments<AdamMoments>>>(options);
}

}  // namespace

AdamW::AdamW(const Registry& registry, const AdamWOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, make_rule(options), groups) {}

OptimizerKind adamw_kind() { return kind_of<AdamW, AdamWEquation::fields>(AdamWEquation::name); }

}  // namespace scry::optim
