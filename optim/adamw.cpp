#include <scry/optim/adam_equation.hpp>
#include <scry/optim/adamw.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AdamWEquation {
  using Options = AdamWOptions;
  static constexpr std::string_view name = "adamw";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::beta1>("beta1", decay_rate),
      field<&Options::beta2>("beta2", decay_rate),
      field<&Options::eps>("eps"),
      field<&Options::weight_decay>("weight_decay"),
      fixed(field<&Options::amsgrad>("amsgrad")),
      field<&Options::maximize>("maximize"),
  };
  static void check(const Options&) {}
};

template <bool amsgrad>
struct AdamWWithMoments : AdamWEquation, AdamMoments<amsgrad> {
  static auto step(const AdamWOptions& o, double t) {
    return AdamMoments<amsgrad>::step(
        {.lr = o.lr, .beta1 = o.beta1, .beta2 = o.beta2, .eps = o.eps, .weight_decay = o.weight_decay, .decoupled_weight_decay = true}, t);
  }
};

std::unique_ptr<UpdateRule> make_rule(const AdamWOptions& options) {
  if (options.amsgrad) return std::make_unique<ElementwiseRule<AdamWWithMoments<true>>>(options);
  return std::make_unique<ElementwiseRule<AdamWWithMoments<false>>>(options);
}

}  // namespace

AdamW::AdamW(const Registry& registry, const AdamWOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, make_rule(options), groups) {}

const OptimizerKind& adamw_kind() {
  static const OptimizerKind kind = kind_of<AdamW, AdamWEquation::fields>(AdamWEquation::name);
  return kind;
}

}  // namespace scry::optim
