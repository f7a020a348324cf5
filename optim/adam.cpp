#include <scry/optim/adam.hpp>
#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AdamEquation {
  using Options = AdamOptions;
  static constexpr std::string_view name = "adam";
  static constexpr std::array slots{SlotSpec{"exp_avg", SlotRole::first_moment}, SlotSpec{"exp_avg_sq", SlotRole::second_moment}};
  static constexpr bool counts_steps = true;

  static const std::vector<Field<Options>>& fields() {
    static const std::vector<Field<Options>> all{
        field<&Options::lr>("lr"),   field<&Options::beta1>("beta1", decay_rate),   field<&Options::beta2>("beta2", decay_rate),
        field<&Options::eps>("eps"), field<&Options::weight_decay>("weight_decay"),
    };
    return all;
  }
  static void check(const Options&) {}

  template <class T>
  struct Step {
    using value_type = T;
    T rate1, rate2, step_size, inverse_root_bias2, eps, weight_decay;
    bool operator==(const Step&) const = default;
  };
  static Step<double> step(const Options& o, double t) {
    const double bias1 = 1 - std::pow(o.beta1, t), bias2 = 1 - std::pow(o.beta2, t);
    return {.rate1 = 1 - o.beta1,
            .rate2 = 1 - o.beta2,
            .step_size = o.lr / bias1,
            .inverse_root_bias2 = 1 / std::sqrt(bias2),
            .eps = o.eps,
            .weight_decay = o.weight_decay};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, V& v, const S& s) {
    using std::sqrt;
    if (s.weight_decay != 0) g += s.weight_decay * w;
    m += s.rate1 * (g - m);
    v += s.rate2 * (g * g - v);
    return w - s.step_size * m / (sqrt(v) * s.inverse_root_bias2 + s.eps);  // η m̂ / (√v̂ + ε)
  }
};

}  // namespace

Adam::Adam(const Registry& registry, const AdamOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<AdamEquation>>(options), groups) {}

const OptimizerKind& adam_kind() {
  static const OptimizerKind kind = kind_of<Adam, AdamEquation::fields>(AdamEquation::name);
  return kind;
}

}  // namespace scry::optim
