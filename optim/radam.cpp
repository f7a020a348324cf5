#include <scry/optim/adam_equation.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/radam.hpp>

namespace scry::optim {
namespace {

struct RAdamEquation {
  using Options = RAdamOptions;
  static constexpr std::string_view name = "radam";
  static constexpr auto fields =
      adam_fields_and(field<&Options::decoupled_weight_decay>("decoupled_weight_decay"), field<&Options::maximize>("maximize"));
  static constexpr auto slots = AdamMoments::slots;
  static constexpr bool counts_steps = true;

  template <class T>
  struct Step {
    T rate1, rate2, step_size, rectified, eps, weight_decay, keep;
  };
  static Step<double> step(const Options& o, double t) {
    const double bias1 = 1 - std::pow(o.beta1, t), power2 = std::pow(o.beta2, t), bias2 = 1 - power2;
    const double rho = 2 / (1 - o.beta2) - 1, rho_t = rho - 2 * t * power2 / bias2;
    const bool rectified = rho_t > 5;
    const double r = rectified ? std::sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t) * bias2) : 1;
    return {.rate1 = 1 - o.beta1,
            .rate2 = 1 - o.beta2,
            .step_size = o.lr / bias1 * r,
            .rectified = rectified ? 1.0 : 0.0,
            .eps = o.eps,
            .weight_decay = o.decoupled_weight_decay ? 0 : o.weight_decay,
            .keep = o.decoupled_weight_decay ? 1 - o.lr * o.weight_decay : 1};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, V& v, const S& s) {
    take_moments(w, g, m, v, s);
    const V step = s.step_size * m;
    return s.keep * w - (s.rectified != 0 ? quotient<V>(step, sqrt(v) + s.eps) : step);
  }
};

}  // namespace

RAdam::RAdam(const Registry& registry, const RAdamOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<RAdamEquation>>(options), groups) {}

OptimizerKind radam_kind() { return kind_of<RAdam, RAdamEquation::fields>(RAdamEquation::name); }

}  // namespace scry::optim
