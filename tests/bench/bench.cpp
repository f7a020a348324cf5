// Training workloads, timed one at a time, written from the public API as a user would.
//
//   bench NAME [--threads N] [--seconds S]     one workload, one line of JSON; --steps N for a number of steps instead of a time
//   bench --list                               the names
//   bench --roofline                           all of them beside what the machine can do
//
// Line: {"workload": NAME, "median_us": per step, "items_per_s": samples or parameters per second, "peak_rss_mb": …}
// Data is random: only time and memory are measured.

#include "bench.hpp"

#include <sys/resource.h>

#include <scry/scry.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <arguments.hpp>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void print_line(const Result& result) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const nlohmann::json line = {{"workload", result.workload},
                               {"median_us", result.seconds * 1e6},
                               {"items_per_s", result.items / result.seconds},
                               {"peak_rss_mb", static_cast<double>(usage.ru_maxrss) / 1024}};
  std::puts(line.dump().c_str());
}

// The limit of a step: its products at the rate of a large one, and its streams at the rate of memory, one after the other.
void print_roofline(double seconds) {
  std::printf("%-28s%12s%12s%12s%12s%10s%12s%12s\n", "workload", "GFLOP", "MB", "limit us", "median us", "reached", "GFLOP/s", "GB/s");
  for (const auto& [name, workload] : workloads()) {
    const Machine machine = measure_machine();
    const Result r = workload({name, seconds});
    const double limit = r.work.flops / machine.flops + r.work.bytes / machine.bytes;
    std::printf("%-28s%12.4g%12.4g%12.1f%12.1f%9.0f%%%12.0f%12.1f\n", name.c_str(), r.work.flops * 1e-9, r.work.bytes * 1e-6, limit * 1e6,
                r.seconds * 1e6, 100 * limit / r.seconds, machine.flops * 1e-9, machine.bytes * 1e-9);
    std::fflush(stdout);
  }
}

}  // namespace

Result Run::measure(double items, const Work& work, const std::function<void()>& step) const {
  for (int i = 0; i < (steps_ ? 0 : 3); ++i) step();
  std::vector<double> times;
  const auto goes_on = [&, start = Clock::now()] {
    const auto done = static_cast<int>(times.size());
    return steps_ ? done < steps_ : done < 5 || since(start) < seconds_;
  };
  while (goes_on()) {
    const auto before = Clock::now();
    step();
    times.push_back(since(before));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return {workload_, times[times.size() / 2], items, work};
}

Machine measure_machine() {
  using namespace scry;
  constexpr int64_t size = 768, length = 1 << 25;
  const NoGrad guard;
  const Tensor a = randn({size, size}), b = randn({size, size}), array = ones({length});
  const Run run("machine", 0.25);
  const double n = static_cast<double>(size);
  return {2 * n * n * n / run.measure(1, {}, [&] { matmul(a, b); }).seconds,
          2.0 * sizeof(float) * static_cast<double>(length) / run.measure(1, {}, [&] { mul_(array, 1.0); }).seconds};
}

}  // namespace bench

int main(int argc, char** argv) {
  std::string name;
  int64_t threads = 2, steps = 0;
  double seconds = 3;
  bool list = false, roofline = false;
  arguments::Arguments line("bench", "Times scry's training workloads.");
  line.option("workload", name, "NAME", "Which one to run");
  line.option("--threads", threads, 1, 1024, "How many threads to use");
  line.option("--seconds", seconds, 0, "How long to run it");
  line.option("--steps", steps, 1, 1 << 30, "How many steps to run instead");
  line.flag("--list", list, "Print the workloads' names");
  line.flag("--roofline", roofline, "Run all of them, and print them beside what the machine reaches");
  return arguments::run(line, argc, argv, [&] {
    if (list) {
      for (const auto& [workload, run] : bench::workloads()) std::puts(workload.c_str());
      return 0;
    }
    scry::set_thread_count(static_cast<int>(threads));
    scry::set_flush_denormals(true);
    if (roofline) {
      bench::print_roofline(seconds);
      return 0;
    }
    const auto found = bench::workloads().find(name);
    if (found == bench::workloads().end()) throw arguments::UsageError("there is no workload '" + name + "'; --list names them");
    scry::manual_seed(0);
    bench::print_line(found->second({name, seconds, static_cast<int>(steps)}));
    return 0;
  });
}
