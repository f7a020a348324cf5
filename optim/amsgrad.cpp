#include <scry/optim/adam_equation.hpp>
#include <scry/optim/amsgrad.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AMSGradEquation : AMSGradMoments {
  using Options = AMSGradOptions;
  static constexpr std::string_view name = "amsgrad";
  static constexpr auto fields =
      adam_fields_and(field<&Options::maximize>("maximize"), field<&Options::decoupled_weight_decay>("decoupled_weight_decay"),
                      field<&Options::bias_correction>("bias_correction"));

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

OptimizerKind amsgrad_kind() { return kind_of<AMSGrad, AMSGradEquation::fields>(AMSGradEquation::name); }

}  // namespace scry::optim
