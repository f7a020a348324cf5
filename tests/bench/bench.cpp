// Training workloads, timed one at a time, written from the public API as a user would.
//
//   bench NAME [--threads N] [--seconds S]     one workload, one line of JSON
//   bench --list                               the names
//
// Line: {"workload": NAME, "median_us": per step, "items_per_s": samples or parameters per second, "peak_rss_mb": …}
// Data is random: only time and memory are measured.

#include <sys/resource.h>

#include <scry/scry.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace {

using namespace scry;

struct Run {
  std::string name;
  double seconds;

  // Times `step` for the given time, at least five times, and prints the line; a step handles `items` samples or parameters.
  void report(double items, const std::function<void()>& step) const {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); };
    for (int i = 0; i < 3; ++i) step();
    std::vector<double> times;
    for (const auto start = Clock::now(); since(start) < seconds || times.size() < 5;) {
      const auto before = Clock::now();
      step();
      times.push_back(since(before));
    }
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    const double median = times[times.size() / 2];
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const nlohmann::json line = {{"workload", name},
                                 {"median_us", median * 1e6},
                                 {"items_per_s", items / median},
                                 {"peak_rss_mb", static_cast<double>(usage.ru_maxrss) / 1024}};
    std::cout << line << std::endl;
  }
};

template <class Model>
void train(const Run& run, const Model& model, optim::Optimizer optimizer, const Tensor& x, const Tensor& labels) {
  run.report(static_cast<double>(x.size(0)), [&] {
    optimizer.registry().zero_grad();
    cross_entropy(model(x), labels).backward();
    optimizer.step();
  });
}

Tensor labels(int64_t count, int64_t classes = 10) { return randint(0, classes, {count}); }

// 100 tensors of 100,000 weights with gradients, as a model that only names them.
struct TenMillion {
  std::vector<NamedTensor> parameters;
  TenMillion() {
    for (int i = 0; i < 100; ++i) parameters.push_back({"p" + std::to_string(i), randn({100000}).requires_grad_()});
  }
  std::vector<NamedTensor> named_parameters() const { return parameters; }
  std::vector<NamedTensor> named_buffers() const { return {}; }
  void make_gradients() const {
    for (const NamedTensor& p : parameters) p.tensor.backward(randn({100000}));
  }
};

const std::map<std::string, std::function<void(const Run&)>> workloads = {
    {"mlp_tiny_b1",
     [](const Run& run) {
       const auto model = nn::mlp({2, 16, 16, 10});
       train(run, model, optim::SGD{optim::Registry{model}, {.lr = 0.01}}, randn({1, 2}), labels(1));
     }},
    {"mlp_tiny_adam_b32",
     [](const Run& run) {
       const auto model = nn::mlp({2, 64, 64, 10});
       train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, randn({32, 2}), labels(32));
     }},
    {"mlp_sgd_b64",
     [](const Run& run) {
       const auto model = nn::mlp({784, 128, 10});
       train(run, model, optim::SGD{optim::Registry{model}, {.lr = 0.01}}, randn({64, 784}), labels(64));
     }},
    {"mlp_big_adam_b256",
     [](const Run& run) {
       const auto model = nn::mlp({784, 1024, 1024, 10});
       train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, randn({256, 784}), labels(256));
     }},
    {"lenet_adam_b64",
     [](const Run& run) {
       const nn::LeNet model;
       train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, randn({64, 1, 28, 28}), labels(64));
     }},
    {"resnet20_sgd_b128",
     [](const Run& run) {
       const auto model = nn::resnet20();
       train(run, model, optim::SGD{optim::Registry{model}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-4}}, randn({128, 3, 32, 32}),
             labels(128));
     }},
    {"resnet20_infer_b128",
     [](const Run& run) {
       const auto model = nn::resnet20();
       model.eval();
       const NoGrad guard;
       const Tensor x = randn({128, 3, 32, 32});
       run.report(128, [&] { model(x); });
     }},
    {"sgd_momentum_step_10m",
     [](const Run& run) {
       const TenMillion model;
       optim::SGD optimizer{optim::Registry{model}, {.lr = 1e-3, .momentum = 0.9}};
       model.make_gradients();
       run.report(1e7, [&] { optimizer.step(); });
     }},
    {"adam_step_10m",
     [](const Run& run) {
       const TenMillion model;
       optim::Adam optimizer{optim::Registry{model}, {.lr = 1e-3}};
       model.make_gradients();
       run.report(1e7, [&] { optimizer.step(); });
     }},
    {"lookahead_adam_5_steps_10m",
     [](const Run& run) {  // one whole k = 5 cycle per timed step
       const TenMillion model;
       optim::Lookahead optimizer{optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, {.k = 5, .alpha = 0.5}};
       model.make_gradients();
       run.report(5e7, [&] {
         for (int i = 0; i < 5; ++i) optimizer.step();
       });
     }},
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Times scry's training workloads."};
  std::string name;
  int threads = 2;
  double seconds = 3;
  bool list = false;
  app.add_option("workload", name, "Which one to run");
  app.add_option("--threads", threads, "How many threads to use")->check(CLI::PositiveNumber);
  app.add_option("--seconds", seconds, "How long to run it")->check(CLI::PositiveNumber);
  app.add_flag("--list", list, "Print the workloads' names");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const auto& [workload, run] : workloads) std::cout << workload << '\n';
    return 0;
  }
  const auto found = workloads.find(name);
  if (found == workloads.end()) {
    std::cerr << "bench: no workload '" << name << "'; --list names them\n";
    return 2;
  }
  set_thread_count(threads);
  set_flush_denormals(true);
  manual_seed(0);
  found->second({name, seconds});
}
