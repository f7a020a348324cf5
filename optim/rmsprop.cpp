#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/rmsprop.hpp>

namespace scry::optim {
namespace {

struct RMSpropEquation {
  using Options = RMSpropOptions;
  static constexpr std::string_view name = "rmsprop";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::alpha>("alpha", decay_rate),
      field<&Options::eps>("eps"),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::momentum>("momentum"),
      fixed(field<&Options::centered>("centered")),
      field<&Options::maximize>("maximize"),
      field<&Options::eps_inside_root>("eps_inside_root"),
  };
  static constexpr bool counts_steps = false;

  template <class T>
  struct Step {
    T lr, rate, eps, eps_inside, weight_decay, momentum;
  };
  static Step<double> step(const Options& o, double) {
    return {.lr = o.lr,
            .rate = 1 - o.alpha,
            .eps = o.eps_inside_root ? 0 : o.eps,
            .eps_inside = o.eps_inside_root ? o.eps : 0,
            .weight_decay = o.weight_decay,
            .momentum = o.momentum};
  }

  // The gradient over the root of its average square, or of its variance.
  template <class V, class S>
  static V scaled(V g, V& v, const S& s) {
    v += s.rate * (g * g - v);
    return quotient<V>(g, sqrt(v + s.eps_inside) + s.eps);
  }
  template <class V, class S>
  static V scaled(V g, V& v, V& a, const S& s) {
    v += s.rate * (g * g - v);
    a += s.rate * (g - a);
    return quotient<V>(g, sqrt(v - a * a + s.eps_inside) + s.eps);
  }
};

constexpr SlotSpec squares{"square_avg", SlotRole::second_moment}, average{"grad_avg", SlotRole::first_moment};
constexpr SlotSpec buffer{"momentum_buffer", SlotRole::first_moment};

template <SlotSpec const&... kept>
struct PlainRMSprop : RMSpropEquation {
  static constexpr std::array<SlotSpec, sizeof...(kept)> slots{kept...};
  static void check(const Options& o) {
    require(o.momentum == 0, "rmsprop: it was made without momentum and keeps no buffer for it; give momentum when it is made, and 0 to groups");
  }
  template <class V, class S>
  static V update(V w, V g, V& v, const S& s) {
    return w - s.lr * scaled(g + s.weight_decay * w, v, s);
  }
  template <class V, class S>
  static V update(V w, V g, V& v, V& a, const S& s) {
    return w - s.lr * scaled(g + s.weight_decay * w, v, a, s);
  }
};

template <SlotSpec const&... kept>
struct MomentumRMSprop : RMSpropEquation {
  static constexpr std::array<SlotSpec, sizeof...(kept)> slots{kept...};
  template <class V, class S>
  static V update(V w, V g, V& v, V& b, const S& s) {
    b = s.momentum * b + scaled(g + s.weight_decay * w, v, s);
    return w - s.lr * b;
  }
  template <class V, class S>
  static V update(V w, V g, V& v, V& a, V& b, const S& s) {
    b = s.momentum * b + scaled(g + s.weight_decay * w, v, a, s);
    return w - s.lr * b;
  }
};

template <class Equation>
std::unique_ptr<UpdateRule> rule(const RMSpropOptions& options) {
  return std::make_unique<ElementwiseRule<Equation>>(options);
}

std::unique_ptr<UpdateRule> make_rule(const RMSpropOptions& options) {
  if (options.momentum == 0) return options.centered ? rule<PlainRMSprop<squares, average>>(options) : rule<PlainRMSprop<squares>>(options);
  return options.centered ? rule<MomentumRMSprop<squares, average, buffer>>(options) : rule<MomentumRMSprop<squares, buffer>>(options);
}

}  // namespace

RMSprop::RMSprop(const Registry& registry, const RMSpropOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, make_rule(options), groups) {}

OptimizerKind rmsprop_kind() { return kind_of<RMSprop, RMSpropEquation::fields>(RMSpropEquation::name); }

}  // namespace scry::optim
