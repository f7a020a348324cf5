#include <scry/optim/adam_equation.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AdamEquation {
  using Options = AdamOptions;
  static constexpr std::string_view name = "adam";
  static constexpr auto fields =
      adam_fields_and(fixed(field<&Options::amsgrad>("amsgrad")), field<&Options::maximize>("maximize"),
                      field<&Options::decoupled_weight_decay>("decoupled_weight_decay"), field<&Options::eps_inside_root>("eps_inside_root"),
                      field<&Options::eps_hat>("eps_hat"), field<&Options::bias_correction>("bias_correction"),
                      field<&Options::decay_after>("decay_after", fraction));
  static void check(const Options& o) { require(!o.eps_inside_root || !o.eps_hat, "adam: eps_inside_root and eps_hat are two places for one ε"); }
};

template <class Moments>
struct AdamWithMoments : AdamEquation, Moments {};

std::unique_ptr<UpdateRule> make_rule(const AdamOptions& options) {
  if (options.amsgrad) return std::make_unique<ElementwiseRule<AdamWithMoments<AMSGradMoments>>>(options);
  return std::make_unique<ElementwiseRule<AdamWithMoments<AdamMoments>>>(options);
}

}  // namespace

Adam::Adam(const Registry& registry, const AdamOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, make_rule(options), groups) {}

OptimizerKind adam_kind() { return kind_of<Adam, AdamEquation::fields>(AdamEquation::name); }

}  // namespace scry::optim
