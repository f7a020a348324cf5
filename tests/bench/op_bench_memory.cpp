#include "op_bench_memory.hpp"
#include <numeric>

void write_stream(int inputs, const float* x, const float* y, float* z, int64_t count) {
  if (inputs == 0)
    for (int64_t i = 0; i < count; ++i) z[i] = 1;
  else if (inputs == 1)
    for (int64_t i = 0; i < count; ++i) z[i] = x[i];
  else
    for (int64_t i = 0; i < count; ++i) z[i] = x[i] + 3 * y[i];
}

float read_stream(const float* x, int64_t count) {
  float lanes[64]{};
  for (int64_t i = 0; i + 64 <= count; i += 64)
    for (int64_t lane = 0; lane < 64; ++lane) lanes[lane] += x[i + lane];
  return std::accumulate(lanes, lanes + 64, 0.0f);
}
