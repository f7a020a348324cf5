#pragma once

#include <scry/core/function_ref.hpp>
#include <cstdint>

namespace scry {

/// Calls `body(begin, end)` for consecutive pieces of `grain` indices that cover [0, n), on as many threads as there are.
/// The pieces depend on `n` and `grain` alone, so results that are kept by piece don't depend on the number of threads.
/// One piece, a call inside another parallel_for, or one while another thread's loop is running, runs in the calling thread. `body` must not
/// throw. Threads that find nothing to do sleep after some 100 µs.
void parallel_for(int64_t n, int64_t grain, FunctionRef<void(int64_t begin, int64_t end)> body);

/// Elements of `bytes_each` bytes that are worth handing to another thread.
constexpr int64_t grain_for(int64_t bytes_each) { return bytes_each < 65536 ? 65536 / (bytes_each ? bytes_each : 1) : 1; }

/// Whether the calling thread is inside a parallel_for.
bool in_parallel();

/// While one lives, OpenMP code that this thread calls, BLAS for one, runs in this thread alone.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// The number of threads that share a parallel_for; starts at OMP_NUM_THREADS or the number of processors. At most four times as many as there are
/// processors (but sixteen at least, and 256 at most); a larger number counts as that.
int thread_count();
void set_thread_count(int count);

/// Treats denormal floats as zero in this thread and in every loop that it starts; they cost a hundred cycles each on most processors.
void set_flush_denormals(bool flush);

}  // namespace scry
