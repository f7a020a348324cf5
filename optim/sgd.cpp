#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/sgd.hpp>

namespace scry::optim {
namespace {

// What SGD with and without momentum have in common.
struct SGDEquation {
  using Options = SGDOptions;
  static constexpr std::string_view name = "sgd";

  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::momentum>("momentum"),
      field<&Options::dampening>("dampening", any_number),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::nesterov>("nesterov"),
      field<&Options::maximize>("maximize"),
  };
};

struct PlainSgd : SGDEquation {
  static constexpr std::array<SlotSpec, 0> slots{};
  static constexpr bool counts_steps = false;

  static void check(const Options& o) {
    require(!o.nesterov, "sgd: nesterov needs momentum; give one above 0");
    require(o.momentum == 0, "sgd: it was made without momentum and keeps no buffer for it; give momentum when it is made, and 0 to groups");
  }

  template <class T>
  struct Step {
    T lr, weight_decay;
  };
  static Step<double> step(const Options& o, double) { return {.lr = o.lr, .weight_decay = o.weight_decay}; }

  template <class V, class S>
  static V update(V w, V g, const S& s) {
    if (s.weight_decay != 0) g += s.weight_decay * w;
    return w - s.lr * g;
  }
};

struct MomentumSgd : SGDEquation {
  static constexpr std::array slots{SlotSpec{"momentum_buffer", SlotRole::first_moment}};
  static constexpr bool counts_steps = true;

  static void check(const Options& o) { require(!o.nesterov || o.momentum > 0, "sgd: nesterov needs momentum above 0"); }

  template <class T>
  struct Step {
    T lr, momentum, gain, weight_decay, nesterov;
  };
  static Step<double> step(const Options& o, double t) {
    return {
        .lr = o.lr, .momentum = o.momentum, .gain = t == 1 ? 1 : 1 - o.dampening, .weight_decay = o.weight_decay, .nesterov = o.nesterov ? 1.0 : 0.0};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, const S& s) {
    if (s.weight_decay != 0) g += s.weight_decay * w;
    m = s.momentum * m + s.gain * g;
    return w - s.lr * (s.nesterov != 0 ? g + s.momentum * m : m);
  }
};

std::unique_ptr<UpdateRule> make_rule(const SGDOptions& options) {
  if (options.momentum == 0) return std::make_unique<ElementwiseRule<PlainSgd>>(options);
  return std::make_unique<ElementwiseRule<MomentumSgd>>(options);
}

}  // namespace

SGD::SGD(const Registry& registry, const SGDOptions& options, const std::vector<Group>& groups) : Optimizer(registry, make_rule(options), groups) {}

OptimizerKind sgd_kind() { return kind_of<SGD, SGDEquation::fields>(SGDEquation::name); }

}  // namespace scry::optim
