#pragma once

// An optimizer of one's own, written as an equation: the snippet that circulates as "Lookahead" and is something else.

#include <scry/optim/elementwise.hpp>
#include <scry/optim/optimizer.hpp>

struct SnippetOptions {
  double lr = 0.1;
  double k = 5;
  double alpha = 0.5;
};

/// s ← α s + (1 − α) g and θ ← θ + k g − s (the old one), then a step of SGD. There is no anchor, no window and no pull-back, and k is a gain.
struct SnippetEquation {
  using Options = SnippetOptions;
  static constexpr std::string_view name = "snippet";
  static constexpr std::array fields{
      scry::optim::field<&Options::lr>("lr"),
      scry::optim::field<&Options::k>("k"),
      scry::optim::field<&Options::alpha>("alpha", scry::optim::fraction),
  };
  static constexpr std::array slots{scry::optim::SlotSpec{"average", scry::optim::SlotRole::first_moment}};
  static constexpr bool counts_steps = false;
  static void check(const Options&) {}

  template <class T>
  struct Step {
    using value_type = T;
    T lr, k, alpha;
    bool operator==(const Step&) const = default;
  };
  static Step<double> step(const Options& o, double) { return {o.lr, o.k, o.alpha}; }

  template <class V, class S>
  static V update(V w, V g, V& average, const S& s) {
    w += s.k * g - average;
    average = s.alpha * average + (1 - s.alpha) * g;
    return w - s.lr * g;
  }
};

struct Snippet : scry::optim::Optimizer {
  explicit Snippet(const scry::optim::Registry& registry, const SnippetOptions& options = {})
      : Optimizer(registry, std::make_unique<scry::optim::ElementwiseRule<SnippetEquation>>(options)) {}
};
