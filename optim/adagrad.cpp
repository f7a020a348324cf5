#include <scry/optim/adagrad.hpp>
#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>

namespace scry::optim {
namespace {

struct AdagradEquation {
  using Options = AdagradOptions;
  static constexpr std::string_view name = "adagrad";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::lr_decay>("lr_decay"),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::initial_accumulator_value>("initial_accumulator_value"),
      field<&Options::eps>("eps"),
      field<&Options::maximize>("maximize"),
      field<&Options::eps_inside_root>("eps_inside_root"),
  };
  static constexpr std::array slots{SlotSpec{"sum", SlotRole::second_moment}};
  static constexpr bool counts_steps = true;

  template <class T>
  struct Step {
    T step_size, first, eps, eps_inside, weight_decay;
  };
  static Step<double> step(const Options& o, double t) {
    return {.step_size = o.lr / (1 + (t - 1) * o.lr_decay),
            .first = t == 1 ? o.initial_accumulator_value : 0,
            .eps = o.eps_inside_root ? 0 : o.eps,
            .eps_inside = o.eps_inside_root ? o.eps : 0,
            .weight_decay = o.weight_decay};
  }

  template <class V, class S>
  static V update(V w, V g, V& sum, const S& s) {
    if (s.weight_decay != 0) g += s.weight_decay * w;
    sum = (sum + s.first) + g * g;
    return w - quotient<V>(s.step_size * g, sqrt(sum + s.eps_inside) + s.eps);
  }
};

}  // namespace

Adagrad::Adagrad(const Registry& registry, const AdagradOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<AdagradEquation>>(options), groups) {}

OptimizerKind adagrad_kind() { return kind_of<Adagrad, AdagradEquation::fields>(AdagradEquation::name); }

}  // namespace scry::optim
