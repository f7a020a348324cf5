// Three one-line checks that tell Lookahead from a snippet that circulates under its name, on ½ x².

#include <scry/scry.hpp>

#include <cmath>
#include <cstdio>
#include <functional>

#include "snippet.hpp"

using namespace scry;

namespace {

struct Settings {
  double lr = 0.1;
  int64_t k = 5;
  double alpha = 0.5;
};
using Make = std::function<optim::Optimizer(const optim::Registry&, const Settings&)>;

optim::Optimizer sgd(const optim::Registry& registry, const Settings& s) { return optim::SGD{registry, {.lr = s.lr}}; }
optim::Optimizer lookahead(const optim::Registry& registry, const Settings& s) {
  return optim::Lookahead{optim::SGD{registry, {.lr = s.lr}}, {.k = s.k, .alpha = s.alpha}};
}
optim::Optimizer snippet(const optim::Registry& registry, const Settings& s) {
  return Snippet{registry, {.lr = s.lr, .k = static_cast<double>(s.k), .alpha = s.alpha}};
}

// x after some steps from 1.
double run(const Make& make, const Settings& settings, int64_t steps) {
  const Tensor x = ones({1}, f64).requires_grad_();
  optim::Optimizer optimizer = make(optim::Registry({{"x", x}}), settings);
  for (int64_t i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    sum(x * x * 0.5).backward();
    optimizer.step();
  }
  return x.item();
}

void check(const char* name, const Make& make) {
  const auto line = [](const char* what, bool passed) { std::printf("  %-58s %s\n", what, passed ? "yes" : "NO"); };
  const Settings usual;
  const double synced = run(make, usual, usual.k), inner = run(sgd, usual, usual.k);
  std::printf("%s\n", name);
  line("alpha = 1 equals the inner optimizer", run(make, {.alpha = 1}, 10) == run(sgd, {}, 10));
  line("a learning rate of 0 leaves the weights alone", run(make, {.lr = 0}, 10) == 1);
  line("a synced weight lies between the ends of its window", std::min(1.0, inner) <= synced && synced <= std::max(1.0, inner));
  for (const double lr : {0.1, 0.001}) {
    const double factor = run(make, {.lr = lr}, 40) / run(make, {.lr = lr}, 35);
    std::printf("  x is multiplied by %.4f a step with lr = %g\n", std::pow(std::abs(factor), 0.2), lr);
  }
}

}  // namespace

int main() {
  check("Lookahead", lookahead);
  check("the snippet", snippet);
}
