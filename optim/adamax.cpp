#include <scry/optim/adamax.hpp>
#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AdamaxEquation {
  using Options = AdamaxOptions;
  static constexpr std::string_view name = "adamax";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),   field<&Options::beta1>("beta1", decay_rate),   field<&Options::beta2>("beta2", decay_rate),
      field<&Options::eps>("eps"), field<&Options::weight_decay>("weight_decay"), field<&Options::maximize>("maximize"),
  };
  static constexpr std::array slots{SlotSpec{"exp_avg", SlotRole::first_moment}, SlotSpec{"exp_inf", SlotRole::second_moment}};
  static constexpr bool counts_steps = true;

  template <class T>
  struct Step {
    T rate1, beta2, step_size, eps, weight_decay;
  };
  static Step<double> step(const Options& o, double t) {
    return {.rate1 = 1 - o.beta1, .beta2 = o.beta2, .step_size = o.lr / (1 - std::pow(o.beta1, t)), .eps = o.eps, .weight_decay = o.weight_decay};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, V& u, const S& s) {
    if (s.weight_decay != 0) g += s.weight_decay * w;
    m += s.rate1 * (g - m);
    u = larger(abs(g) + s.eps, s.beta2 * u);
    return w - quotient<V>(s.step_size * m, u);
  }
};

}  // namespace

Adamax::Adamax(const Registry& registry, const AdamaxOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<AdamaxEquation>>(options), groups) {}

OptimizerKind adamax_kind() { return kind_of<Adamax, AdamaxEquation::fields>(AdamaxEquation::name); }

}  // namespace scry::optim
