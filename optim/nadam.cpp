#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/nadam.hpp>

namespace scry::optim {
namespace {

struct NAdamEquation {
  using Options = NAdamOptions;
  static constexpr std::string_view name = "nadam";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::beta1>("beta1", decay_rate),
      field<&Options::beta2>("beta2", decay_rate),
      field<&Options::eps>("eps"),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::momentum_decay>("momentum_decay"),
      field<&Options::decoupled_weight_decay>("decoupled_weight_decay"),
      field<&Options::maximize>("maximize"),
  };
  static constexpr std::array slots{SlotSpec{"exp_avg", SlotRole::first_moment}, SlotSpec{"exp_avg_sq", SlotRole::second_moment}};
  static constexpr bool counts_steps = true;
  static constexpr std::string_view number = "mu_product";
  static void check(const Options&) {}

  template <class T>
  struct Step {
    using value_type = T;
    T rate1, rate2, gradient_step, moment_step, inverse_root_bias2, eps, weight_decay, keep;
    bool operator==(const Step&) const = default;
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
    if (s.weight_decay != 0) g += s.weight_decay * w;
    m += s.rate1 * (g - m);
    v += s.rate2 * (g * g - v);
    return s.keep * w - quotient<V>(s.gradient_step * g + s.moment_step * m, sqrt(v) * s.inverse_root_bias2 + s.eps);
  }
};

}  // namespace

NAdam::NAdam(const Registry& registry, const NAdamOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<NAdamEquation>>(options), groups) {}

const OptimizerKind& nadam_kind() {
  static const OptimizerKind kind = kind_of<NAdam, NAdamEquation::fields>(NAdamEquation::name);
  return kind;
}

}  // namespace scry::optim
