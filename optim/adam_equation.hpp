#pragma once

// What Adam, AdamW and AMSGrad have in common.

#include <scry/optim/adam.hpp>
#include <scry/optim/elementwise.hpp>

namespace scry::optim {

template <bool amsgrad>
struct AdamMoments {
  static constexpr SlotSpec m_slot{"exp_avg", SlotRole::first_moment}, v_slot{"exp_avg_sq", SlotRole::second_moment};
  static constexpr SlotSpec largest_slot{"max_exp_avg_sq", SlotRole::second_moment};
  static constexpr std::array<SlotSpec, amsgrad ? 3 : 2> slots = [] {
    if constexpr (amsgrad)
      return std::array{m_slot, v_slot, largest_slot};
    else
      return std::array{m_slot, v_slot};
  }();
  static constexpr bool counts_steps = true;

  template <class T>
  struct Step {
    using value_type = T;
    T rate1, rate2, step_size, inverse_root_bias2, eps, eps_inside, weight_decay, keep, keep_after;
    bool operator==(const Step&) const = default;
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
    take(w, g, m, v, s);
    return moved(w, m, v, s);
  }
  template <class V, class S>
  static V update(V w, V g, V& m, V& v, V& largest, const S& s) {
    take(w, g, m, v, s);
    largest = larger(largest, v);
    return moved(w, m, largest, s);
  }

 private:
  template <class V, class S>
  static void take(V w, V g, V& m, V& v, const S& s) {
    if (s.weight_decay != 0) g += s.weight_decay * w;
    m += s.rate1 * (g - m);
    v += s.rate2 * (g * g - v);
  }
  template <class V, class S>
  static V moved(V w, V m, V v, const S& s) {
    return s.keep_after * (s.keep * w - quotient<V>(s.step_size * m, sqrt(v + s.eps_inside) * s.inverse_root_bias2 + s.eps));  // η m̂ / (√v̂ + ε)
  }
};

}  // namespace scry::optim
