#include <scry/optim/adadelta.hpp>
#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AdadeltaEquation {
  using Options = AdadeltaOptions;
  static constexpr std::string_view name = "adadelta";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::rho>("rho", decay_rate),
      field<&Options::eps>("eps"),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::maximize>("maximize"),
  };
  static constexpr std::array slots{SlotSpec{"square_avg", SlotRole::second_moment}, SlotSpec{"acc_delta", SlotRole::second_moment}};
  static constexpr bool counts_steps = false;

  template <class T>
  struct Step {
    T lr, rate, eps, weight_decay;
  };
  static Step<double> step(const Options& o, double) { return {.lr = o.lr, .rate = 1 - o.rho, .eps = o.eps, .weight_decay = o.weight_decay}; }

  template <class V, class S>
  static V update(V w, V g, V& v, V& u, const S& s) {
    if (s.weight_decay != 0) g += s.weight_decay * w;
    v += s.rate * (g * g - v);
    const V delta = quotient<V>(sqrt(u + s.eps), sqrt(v + s.eps)) * g;
    u += s.rate * (delta * delta - u);
    return w - s.lr * delta;
  }
};

}  // namespace

Adadelta::Adadelta(const Registry& registry, const AdadeltaOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<AdadeltaEquation>>(options), groups) {}

OptimizerKind adadelta_kind() { return kind_of<Adadelta, AdadeltaEquation::fields>(AdadeltaEquation::name); }

}  // namespace scry::optim
