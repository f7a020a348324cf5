#include <scry/optim/adam_equation.hpp>
#include <scry/optim/amsgrad.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AMSGradEquation : AdamMoments<true> {
  using Options = AMSGradOptions;
  static constexpr std::string_view name = "amsgrad";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::beta1>("beta1", decay_rate),
      field<&Options::beta2>("beta2", decay_rate),
      field<&Options::eps>("eps"),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::maximize>("maximize"),
      field<&Options::decoupled_weight_decay>("decoupled_weight_decay"),
      field<&Options::bias_correction>("bias_correction"),
  };
  static void check(const Options&) {}

  static Step<double> step(const Options& o, double t) {
    return AdamMoments::step({.lr = o.lr,
                              .beta1 = o.beta1,
                              .beta2 = o.beta2,
                              .eps = o.eps,
                              .weight_decay = o.weight_decay,
                              .decoupled_weight_decay = o.decoupled_weight_decay,
                              .bias_correction = o.bias_correction},
                             t);
  }
};

}  // namespace

AMSGrad::AMSGrad(const Registry& registry, const AMSGradOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<AMSGradEquation>>(options), groups) {}

const OptimizerKind& amsgrad_kind() {
  static const OptimizerKind kind = kind_of<AMSGrad, AMSGradEquation::fields>(AMSGradEquation::name);
  return kind;
}

}  // namespace scry::optim
