#pragma once

// What the parts of `bench` share: how a workload is timed, and what is known of it.

#include <functional>
#include <map>
#include <string>

namespace bench {

/// What a step must do at least.
struct Work {
  double flops = 0;  ///< of products, as the direct method counts them
  double bytes = 0;  ///< between the processor and memory, by what isn't a product: the optimizer's arrays
};

struct Result {
  std::string workload;
  double seconds = 0;  ///< the median step
  double items = 0;    ///< samples or parameters that a step handles
  Work work;
};

/// Times steps: as many as fill `seconds`, at least five; or `steps` of them, so that the processor's instructions can be counted.
class Run {
 public:
  Run(std::string workload, double seconds, int steps = 0) : workload_(std::move(workload)), seconds_(seconds), steps_(steps) {}
  Result measure(double items, const Work& work, const std::function<void()>& step) const;

 private:
  std::string workload_;
  double seconds_;
  int steps_;
};

using Workload = std::function<Result(const Run& run)>;
const std::map<std::string, Workload>& workloads();

/// What this machine reaches now, on the threads that are set.
struct Machine {
  double flops = 0;  ///< a second: a large f32 product
  double bytes = 0;  ///< a second: reading and writing a large array in place
};
Machine measure_machine();

}  // namespace bench
