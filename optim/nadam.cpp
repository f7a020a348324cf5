#include <scry/optim/adam_equation.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/nadam.hpp>

namespace scry::optim {
namespace {

struct NAdamEquation {
  using Options = NAdamOptions;
  static constexpr std::string_view name = "nadam";
  static constexpr auto fields =
      adam_fields_and(field<&Options::momentum_decay>("momentum_decay"), field<&Options::decoupled_weight_decay>("decoupled_weight_decay"),
                      field<&Options::maximize>("maximize"));
  static constexpr auto slots = AdamMoments::slots;
  static constexpr bool counts_steps = true;
  static constexpr std::string_view number = "mu_product";

  template <class T>
  struct Step {
    T rate1, rate2, gradient_step, moment_step, inverse_root_bias2, eps, weight_decay, keep;
  };
  static Step<double> step(const Options& o, double t, double& product) {
    const auto momentum = [&](double at) { return o.beta1 * (1 - 0.5 * std::pow(0.96, at * o.momentum_decay)); };
    product = (t == 1 ? 1 : product) * momentum(t);
    return {.rate1 = 1 - o.beta1,
            .rate2 = 1 - o.beta2,
            .gradient_step = o.lr * (1 - momentum(t)) / (1 - product),
            .moment_step = o.lr * momentum(t + 1) / (1 - product * momentum(t + 1)),
            .inverse_root_bias2 = 1 / std::sqrt(1 - std::pow(o.beta2, t)),
            .eps = o.eps,
            .weight_decay = o.decoupled_weight_decay ? 0 : o.weight_decay,
            .keep = o.decoupled_weight_decay ? 1 - o.lr * o.weight_decay : 1};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, V& v, const S& s) {
    take_moments(w, g, m, v, s);
    return s.keep * w - quotient<V>(s.gradient_step * g + s.moment_step * m, sqrt(v) * s.inverse_root_bias2 + s.eps);
  }
};

}  // namespace

NAdam::NAdam(const Registry& registry, const NAdamOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<NAdamEquation>>(options), groups) {}

OptimizerKind nadam_kind() { return kind_of<NAdam, NAdamEquation::fields>(NAdamEquation::name); }

}  // namespace scry::optim
