#pragma once

// What Adam and its kin have in common.

#include <scry/optim/adam.hpp>
#include <scry/optim/elementwise.hpp>

namespace scry::optim {

/// The options that all of them begin with.
template <class Options>
inline constexpr std::array adam_fields{
    field<&Options::lr>("lr"),   field<&Options::beta1>("beta1", decay_rate),   field<&Options::beta2>("beta2", decay_rate),
    field<&Options::eps>("eps"), field<&Options::weight_decay>("weight_decay"),
};

/// Those and more.
template <class Options, std::same_as<Field<Options>>... More>
constexpr auto adam_fields_and(const Field<Options>& next, const More&... more) {
  return std::apply([&](const auto&... first) { return std::array{first..., next, more...}; }, adam_fields<Options>);
}

/// g ← g + λ w;   m ← m + (1 − β₁) (g − m);   v ← v + (1 − β₂) (g² − v)
template <class V, class S>
void take_moments(V w, V& g, V& m, V& v, const S& s) {
  if (s.weight_decay != 0) g += s.weight_decay * w;
  m += s.rate1 * (g - m);
  v += s.rate2 * (g * g - v);
}

/// What of Adam's equation its options don't name.
struct AdamMoments {
  static constexpr std::array slots{SlotSpec{"exp_avg", SlotRole::first_moment}, SlotSpec{"exp_avg_sq", SlotRole::second_moment}};
  static constexpr bool counts_steps = true;

  template <class T>
  struct Step {
    T rate1, rate2, step_size, inverse_root_bias2, eps, eps_inside, weight_decay, keep, keep_after;
  };
  static Step<double> step(const AdamOptions& o, double t) {
    const double bias1 = o.bias_correction ? 1 - std::pow(o.beta1, t) : 1, bias2 = o.bias_correction ? 1 - std::pow(o.beta2, t) : 1;
    return {.rate1 = 1 - o.beta1,
            .rate2 = 1 - o.beta2,
            .step_size = o.lr / bias1,
            .inverse_root_bias2 = 1 / std::sqrt(bias2),
            .eps = o.eps_inside_root ? 0
                   : o.eps_hat       ? o.eps / std::sqrt(bias2)
                                     : o.eps,
            .eps_inside = o.eps_inside_root ? o.eps * bias2 : 0,
            .weight_decay = o.decoupled_weight_decay ? 0 : o.weight_decay,
            .keep = o.decoupled_weight_decay ? 1 - o.lr * o.weight_decay : 1,
            .keep_after = 1 - o.decay_after};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, V& v, const S& s) {
    take_moments(w, g, m, v, s);
    return moved(w, m, v, s);
  }
  template <class V, class S>
  static V update(V w, V g, V& m, V& v, V& largest, const S& s) {
    take_moments(w, g, m, v, s);
    largest = larger(largest, v);
    return moved(w, m, largest, s);
  }

 private:
  template <class V, class S>
  static V moved(V w, V m, V v, const S& s) {
    return s.keep_after * (s.keep * w - quotient<V>(s.step_size * m, sqrt(v + s.eps_inside) * s.inverse_root_bias2 + s.eps));  // η m̂ / (√v̂ + ε)
  }
};

/// With AMSGrad's denominator.
struct AMSGradMoments : AdamMoments {
  static constexpr std::array slots{AdamMoments::slots[0], AdamMoments::slots[1], SlotSpec{"max_exp_avg_sq", SlotRole::second_moment}};
};

}  // namespace scry::optim
