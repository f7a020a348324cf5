#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/lion.hpp>

namespace scry::optim {
namespace {

struct LionEquation {
  using Options = LionOptions;
  static constexpr std::string_view name = "lion";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::beta1>("beta1", decay_rate),
      field<&Options::beta2>("beta2", decay_rate),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::maximize>("maximize"),
  };
  static constexpr std::array slots{SlotSpec{"exp_avg", SlotRole::first_moment}};
  static constexpr bool counts_steps = false;

  template <class T>
  struct Step {
    T lr, rate1, rate2, keep;
  };
  static Step<double> step(const Options& o, double) {
    return {.lr = o.lr, .rate1 = 1 - o.beta1, .rate2 = 1 - o.beta2, .keep = 1 - o.lr * o.weight_decay};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, const S& s) {
    const V direction = sign(m + s.rate1 * (g - m));
    m += s.rate2 * (g - m);
    return s.keep * w - s.lr * direction;
  }
};

}  // namespace

Lion::Lion(const Registry& registry, const LionOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<ElementwiseRule<LionEquation>>(options), groups) {}

OptimizerKind lion_kind() { return kind_of<Lion, LionEquation::fields>(LionEquation::name); }

}  // namespace scry::optim
