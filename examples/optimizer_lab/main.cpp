// Shows how an optimizer moves over a landscape of two weights: step by step, with the lines of its equation, or as JSON for a plot.

#include <scry/scry.hpp>
#include <cstdio>
#include <arguments.hpp>

using namespace scry;

namespace {

struct Landscape {
  const char* name;
  double x, y;  // where the way begins
  Tensor (*height)(const Tensor& x, const Tensor& y);
};

const Landscape landscapes[] = {
    {"bowl", -4, 2, [](const Tensor& x, const Tensor& y) { return (square(x) + square(y) * 10) * 0.5; }},
    {"rosenbrock", -1.5, 2, [](const Tensor& x, const Tensor& y) { return square(1 - x) + square(y - square(x)) * 100; }},
    {"beale", 1, 1,
     [](const Tensor& x, const Tensor& y) {
       const Tensor y2 = square(y);
       return square(1.5 - x + x * y) + square(2.25 - x + x * y2) + square(2.625 - x + x * y2 * y);
     }},
    {"saddle", -1, 0.001, [](const Tensor& x, const Tensor& y) { return square(x) - square(y); }},
};

const Landscape& find(const std::string& name) {
  std::string known;
  for (const Landscape& each : landscapes) {
    if (each.name == name) return each;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  fail("--landscape: there is no '", name, "'; there are ", known);
}

void print_lines(const optim::TracedStep& step, const char* weight) {
  for (const optim::TracedTerm& term : step.terms)
    if (!term.name.empty()) std::printf("        %s: %-16s = %-50s = %.6g\n", weight, term.name.c_str(), term.text.c_str(), term.value);
}

struct Options {
  std::string optimizer = "lookahead(sgd(lr=0.1), k=5, alpha=0.5)", landscape = "bowl";
  int64_t steps = 20;
  bool json = false, terms = false;
};

void show(const Options& options) {
  const Landscape& landscape = find(options.landscape);
  const Tensor x = full({1}, landscape.x, f64).requires_grad_(), y = full({1}, landscape.y, f64).requires_grad_();
  optim::Optimizer optimizer = optim::make_optimizer(options.optimizer, optim::Registry({{"x", x}, {"y", y}}));
  optim::Trace trace(optimizer, {{"x", 0}, {"y", 0}});
  std::vector<double> heights;
  for (int64_t i = 0; i < options.steps; ++i) {
    optimizer.zero_grad();
    const Tensor height = sum(landscape.height(x, y));
    height.backward();
    heights.push_back(height.item());
    optimizer.step();
  }
  if (options.json) return static_cast<void>(std::puts(trace.json().c_str()));
  std::printf("%s on %s\n  step          x          y     height before\n", optimizer.expression().c_str(), landscape.name);
  const auto& steps = trace.steps();
  for (size_t i = 0; i + 1 < steps.size(); i += 2) {
    std::printf("%6lld %10.5f %10.5f  %.6g\n", static_cast<long long>(steps[i].step), steps[i].after, steps[i + 1].after, heights[i / 2]);
    if (!options.terms) continue;
    print_lines(steps[i], "x");
    print_lines(steps[i + 1], "y");
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  arguments::Arguments line("optimizer_lab", "Shows how an optimizer moves over a landscape of two weights.");
  line.option("optimizer", options.optimizer, "TEXT", "as in: lookahead(adam(lr=0.1), k=5)");
  line.option("--landscape", options.landscape, "NAME", "bowl, rosenbrock, beale or saddle");
  line.option("--steps", options.steps, 1, 100000, "how many");
  line.flag("--json", options.json, "the trace, with every slot and term");
  line.flag("--terms", options.terms, "the lines of the equation in each step");
  return arguments::run(line, argc, argv, [&] {
    try {
      optim::check_optimizer(options.optimizer);
      find(options.landscape);
    } catch (const Error& error) {
      throw arguments::UsageError(error.what());
    }
    show(options);
    return 0;
  });
}
