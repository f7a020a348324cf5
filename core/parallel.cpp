#include <scry/core/error.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

#ifdef SCRY_THREADS_STD
#include <atomic>
#include <thread>
#include <vector>
#else
#include <omp.h>
#endif

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace scry {
namespace {

thread_local bool inside = false;

#ifdef __SSE2__
constexpr unsigned flush_to_zero_and_denormals_are_zero = 0x8040;

bool flushes_denormals_here() { return _mm_getcsr() & flush_to_zero_and_denormals_are_zero; }

void set_flush_denormals_here(bool flush) {
  if (flush == flushes_denormals_here()) return;
  const unsigned state = _mm_getcsr();
  _mm_setcsr(flush ? state | flush_to_zero_and_denormals_are_zero : state & ~flush_to_zero_and_denormals_are_zero);
}
#else
bool flushes_denormals_here() { return false; }
void set_flush_denormals_here(bool) {}
#endif

#ifdef SCRY_THREADS_STD
// Plain threads: the thread sanitizer understands them, and doesn't understand libgomp.
std::atomic<int> threads{static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))};

template <class F>
void on_every_thread(int count, const F& function) {
  std::vector<std::thread> others;
  for (int i = 1; i < count; ++i) others.emplace_back([&function, i, count] { function(i, count); });
  function(0, count);
  for (auto& other : others) other.join();
}
#else
template <class F>
void on_every_thread(int count, const F& function) {
#pragma omp parallel num_threads(count)
  function(omp_get_thread_num(), omp_get_num_threads());  // OpenMP may give fewer than were asked for
}
#endif

}  // namespace

bool in_parallel() { return inside; }

void parallel_for(int64_t n, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  if (n <= 0) return;
  if (n <= grain) return body(0, n);
  const int64_t pieces = (n + grain - 1) / grain;
  const int wanted = static_cast<int>(std::min<int64_t>(pieces, inside ? 1 : thread_count()));
  const auto run = [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) body(i * grain, std::min(n, (i + 1) * grain));
  };
  if (wanted <= 1) return run(0, pieces);
  const bool flush = flushes_denormals_here();
  on_every_thread(wanted, [&](int worker, int workers) {
    inside = true;
    set_flush_denormals_here(flush);  // a worker may be younger than the setting
    run(pieces * worker / workers, pieces * (worker + 1) / workers);
    inside = false;
  });
}

#ifdef SCRY_THREADS_STD
int thread_count() { return threads; }
OneThread::OneThread() : before_(0) {}
OneThread::~OneThread() = default;
#else
int thread_count() { return omp_get_max_threads(); }
OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }
#endif

void set_thread_count(int count) {
  require(count >= 1, "set_thread_count: expected at least 1, got ", count);
#ifdef SCRY_THREADS_STD
  threads = count;
#else
  omp_set_num_threads(count);
#endif
}

void set_flush_denormals(bool flush) {
  on_every_thread(thread_count(), [flush](int, int) { set_flush_denormals_here(flush); });
}

}  // namespace scry
