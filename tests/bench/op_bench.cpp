// Times of single ops: on 16 elements, where calls cost more than arithmetic, and on 10⁷, where memory does.
//
//   op_bench [--benchmark_filter=small|large …]     Google Benchmark's options; OMP_NUM_THREADS sets the threads
//
// small/forward/*: an op without gradient. small/backward/*: an op on leaves, backward, and clearing the gradients. small/chain/*: the same for 32
// ops in a row, a time for each. large/*: bytes read and written in a second; memory/* is what this machine's memory gives to plain loops.

#include <benchmark/benchmark.h>

#include "op_bench_memory.hpp"
#include <scry/scry.hpp>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace scry;

using Op = std::function<Tensor(const Tensor&, const Tensor&)>;

struct SmallOp {
  const char* name;
  Shape shape;
  Op op;
};

const SmallOp small_ops[] = {
    {"add", {16}, [](const Tensor& a, const Tensor& b) { return a + b; }},
    {"mul", {16}, [](const Tensor& a, const Tensor& b) { return a * b; }},
    {"relu", {16}, [](const Tensor& a, const Tensor&) { return relu(a); }},
    {"tanh", {16}, [](const Tensor& a, const Tensor&) { return tanh(a); }},
    {"sum", {16}, [](const Tensor& a, const Tensor&) { return sum(a); }},
    {"matmul_4x4", {4, 4}, [](const Tensor& a, const Tensor& b) { return matmul(a, b); }},
};

void clear(const Tensor& leaf) { autograd::leaf_of(leaf)->gradient = {}; }

void forward(benchmark::State& state, const SmallOp& small) {
  const Tensor a = randn(small.shape), b = randn(small.shape);
  for (auto _ : state) benchmark::DoNotOptimize(small.op(a, b));
}

void backward(benchmark::State& state, const SmallOp& small) {
  const Tensor a = randn(small.shape).requires_grad_(), b = randn(small.shape).requires_grad_();
  const Tensor seed = ones(small.op(a, b).shape());
  for (auto _ : state) {
    small.op(a, b).backward(seed);
    clear(a);
    clear(b);
  }
}

void chain(benchmark::State& state, const SmallOp& small) {
  constexpr int length = 32;
  const Tensor a = randn(small.shape).requires_grad_(), b = randn(small.shape) * 0.1, seed = ones(small.shape);
  for (auto _ : state) {
    Tensor y = a;
    for (int i = 0; i < length; ++i) y = small.op(y, b);
    y.backward(seed);
    clear(a);
  }
  state.counters["per_op"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * length, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

constexpr int64_t large = 10'000'000;

// Drawn once: drawing takes longer than most of what is measured.
const Tensor& large_values() {
  static const Tensor values = randn({large});
  return values;
}

void report_bytes(benchmark::State& state, int64_t floats) { state.SetBytesProcessed(state.iterations() * floats * 4); }

// The limit: loops over plain arrays, split among the threads like ours.
void memory_bandwidth(benchmark::State& state, int inputs) {
  const Tensor &a = large_values(), b = clone(a);
  Tensor out = zeros({large});
  const float *x = a.data<float>(), *y = b.data<float>();
  float* z = out.mutable_data<float>();
  for (auto _ : state) {
    parallel_for(large, 1 << 15, [&](int64_t begin, int64_t end) { write_stream(inputs, x + begin, y + begin, z + begin, end - begin); });
    benchmark::ClobberMemory();
  }
  report_bytes(state, large * (inputs + 1));
}

void memory_read(benchmark::State& state) {
  const Tensor& a = large_values();
  const float* x = a.data<float>();
  constexpr int64_t piece = 1 << 15;
  std::vector<float> sums(static_cast<size_t>(large / piece + 1));
  for (auto _ : state) {
    parallel_for(large, piece, [&](int64_t begin, int64_t end) { sums[static_cast<size_t>(begin / piece)] = read_stream(x + begin, end - begin); });
    benchmark::DoNotOptimize(sums.data());
    benchmark::ClobberMemory();
  }
  report_bytes(state, large);
}

// `floats` of memory are touched by a call.
void streaming(benchmark::State& state, const Op& op, int64_t floats) {
  const Tensor a = clone(large_values()), b = clone(a);
  for (auto _ : state) benchmark::DoNotOptimize(op(a, b));
  report_bytes(state, floats);
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
}

// Layouts of 10⁷ elements, and the axis to go along.
struct Place {
  const char* name;
  Shape shape;
  int axis;
  bool transposed = false;
};

const Place places[] = {
    {"flat", {large}, 0},
    {"rows_of_1000", {10'000, 1000}, 1},
    {"rows_of_100", {100'000, 100}, 1},
    {"rows_of_10", {1'000'000, 10}, 1},
    {"columns_of_10000", {10'000, 1000}, 0},
    {"columns_of_1000000", {1'000'000, 10}, 0},
    {"middle", {100, 100, 1000}, 1},
    {"far_apart", {10, 1'000'000}, 0},
    {"transposed_rows", {1000, 10'000}, 0, true},
    {"transposed_columns", {1000, 10'000}, 1, true},
};

struct Reduction {
  const char* name;
  std::function<Tensor(const Tensor&, int axis)> op;
  int64_t touched = 1;  // arrays read and written
};

const Reduction reductions[] = {
    {"sum", [](const Tensor& x, int axis) { return sum(x, axis); }},
    {"mean", [](const Tensor& x, int axis) { return mean(x, axis); }},
    {"prod", [](const Tensor& x, int axis) { return prod(x, axis); }},
    {"amax", [](const Tensor& x, int axis) { return amax(x, axis); }},
    {"amin", [](const Tensor& x, int axis) { return amin(x, axis); }},
    {"max", [](const Tensor& x, int axis) { return max(x, axis).values; }},
    {"min", [](const Tensor& x, int axis) { return min(x, axis).values; }},
    {"argmax", [](const Tensor& x, int axis) { return argmax(x, axis); }},
    {"argmin", [](const Tensor& x, int axis) { return argmin(x, axis); }},
    {"var", [](const Tensor& x, int axis) { return var(x, axis); }},
    {"std", [](const Tensor& x, int axis) { return scry::std(x, axis); }},
    {"norm", [](const Tensor& x, int axis) { return norm(x, 2, axis); }},
    {"norm_1", [](const Tensor& x, int axis) { return norm(x, 1, axis); }},
    {"logsumexp", [](const Tensor& x, int axis) { return logsumexp(x, axis); }},
    {"all", [](const Tensor& x, int axis) { return all(x, axis); }},
    {"any", [](const Tensor& x, int axis) { return any(x, axis); }},
    {"count_nonzero", [](const Tensor& x, int axis) { return count_nonzero(x, axis); }},
    {"cumsum", [](const Tensor& x, int axis) { return cumsum(x, axis); }, 2},
    {"cumprod", [](const Tensor& x, int axis) { return cumprod(x, axis); }, 2},
};

void register_reductions() {
  for (const Reduction& reduction : reductions)
    for (const Place& place : places)
      add(text("large/", reduction.name, "/", place.name), [&reduction, &place](benchmark::State& state) {
        const Shape& shape = place.shape;
        const Tensor& values = large_values();
        const Tensor x = place.transposed ? transpose(reshape(values, {shape[1], shape[0]}), 0, 1) : reshape(values, shape);
        for (auto _ : state) benchmark::DoNotOptimize(reduction.op(x, place.axis));
        report_bytes(state, reduction.touched * large);
      });
}

void register_all() {
  for (const SmallOp& small : small_ops) {
    const std::string name = small.name;
    add("small/forward/" + name, [&small](benchmark::State& state) { forward(state, small); });
    add("small/backward/" + name, [&small](benchmark::State& state) { backward(state, small); });
    if (name != "sum") add("small/chain/" + name, [&small](benchmark::State& state) { chain(state, small); });
  }
  add("memory/fill", [](benchmark::State& state) { memory_bandwidth(state, 0); });
  add("memory/copy", [](benchmark::State& state) { memory_bandwidth(state, 1); });
  add("memory/triad", [](benchmark::State& state) { memory_bandwidth(state, 2); });
  add("memory/read", memory_read);
  const auto stream = [](const std::string& name, int64_t floats, const Op& op) {
    add("large/" + name, [=](benchmark::State& state) { streaming(state, op, floats * large); });
  };
  stream("add", 3, [](const Tensor& a, const Tensor& b) { return a + b; });
  stream("mul_number", 2, [](const Tensor& a, const Tensor&) { return a * 3; });
  stream("relu", 2, [](const Tensor& a, const Tensor&) { return relu(a); });
  stream("exp", 2, [](const Tensor& a, const Tensor&) { return exp(a); });
  stream("tanh", 2, [](const Tensor& a, const Tensor&) { return tanh(a); });
  stream("gelu", 2, [](const Tensor& a, const Tensor&) { return gelu(a); });
  stream("add_", 3, [](const Tensor& a, const Tensor& b) { return add_(a, b); });
  register_reductions();
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_all();
  benchmark::RunSpecifiedBenchmarks();
}
