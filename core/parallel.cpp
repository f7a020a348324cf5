#include <scry/core/error.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#ifndef SCRY_BLAS_PLAIN
#include <omp.h>
#endif

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace scry {
namespace {

#ifdef __SSE2__
constexpr unsigned flush_to_zero_and_denormals_are_zero = 0x8040;

bool flushes_denormals_here() { return _mm_getcsr() & flush_to_zero_and_denormals_are_zero; }

void set_flush_denormals_here(bool flush) {
  if (flush == flushes_denormals_here()) return;
  const unsigned state = _mm_getcsr();
  _mm_setcsr(flush ? state | flush_to_zero_and_denormals_are_zero : state & ~flush_to_zero_and_denormals_are_zero);
}

void pause() { _mm_pause(); }
#else
bool flushes_denormals_here() { return false; }
void set_flush_denormals_here(bool) {}
void pause() {}
#endif

constinit thread_local bool inside = false;

// Waits until `value` isn't `old`: awake for some 100 µs, since the next loop of a training step is rarely further away, then asleep. Whoever else
// wants the processor meanwhile gets it.
void wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int turn = 0; turn < 200; ++turn) {
    for (int i = 0; i < 32; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
    std::this_thread::yield();
  }
  value.wait(old, std::memory_order_acquire);
}

int most_threads() {
  static const int most = std::clamp(4 * static_cast<int>(std::thread::hardware_concurrency()), 16, 256);
  return most;
}

// OMP_NUM_THREADS, as users know it from other libraries, or the number of processors.
int threads_at_start() {
  const char* asked = std::getenv("OMP_NUM_THREADS");
  const long count = asked ? std::strtol(asked, nullptr, 10) : 0;
  return count >= 1 ? static_cast<int>(std::min<long>(count, most_threads())) : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::atomic<int>& threads() {
  static std::atomic<int> count{threads_at_start()};
  return count;
}

// The threads that take part in loops, one loop at a time. Never destroyed: they sleep until the process ends.
class Pool {
 public:
  // Calls piece(i) for every i below `pieces` on up to `count` threads, this one among them. False where another thread's loop is running.
  bool run(int count, int64_t pieces, FunctionRef<void(int64_t)> piece) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return false;
    count_ = grow(count);
    piece_ = &piece;
    flush_ = flushes_denormals_here();
    for (int64_t t = 0; t < count_; ++t) {
      shares_[t].next.store(pieces * t / count_, std::memory_order_relaxed);
      shares_[t].end = pieces * (t + 1) / count_;
    }
    open_.store(true);
    ++generation_;
    generation_.notify_all();
    inside = true;
    work(0);
    inside = false;
    // A thread that wakes up from here on finds the door closed: only those that are inside are waited for.
    open_.store(false);
    for (uint32_t count_inside; (count_inside = working_.load()) != 0;) wait_for_change(working_, count_inside);
    return true;
  }

 private:
  // Every thread begins with a share of its own, the same in all loops of one length, so that it finds in its cache what it left there. Then it
  // helps the others: one that has lost its processor keeps nobody waiting.
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };

  void work(int thread) {
    for (int t = 0; t < count_; ++t) {
      Share& share = shares_[(thread + t) % count_];
      for (int64_t i; (i = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) (*piece_)(i);
    }
  }

  int grow(int wanted) {
    try {
      for (; started_ < wanted - 1; ++started_)
        std::thread([this, number = started_ + 1, seen = generation_.load()] { serve(number, seen); }).detach();
    } catch (const std::system_error&) {  // the system gives no more
    }
    return std::min(wanted, started_ + 1);
  }

  [[noreturn]] void serve(int number, uint32_t seen) {
    const OneThread alone;
    inside = true;
    for (;;) {
      wait_for_change(generation_, seen);
      seen = generation_.load();
      ++working_;
      if (open_.load() && number < count_) {
        set_flush_denormals_here(flush_);
        work(number);
      }
      if (--working_ == 0) working_.notify_all();
    }
  }

  std::mutex mutex_;
  std::atomic<uint32_t> generation_{0}, working_{0};
  std::atomic<bool> open_{false};
  Share shares_[256];
  const FunctionRef<void(int64_t)>* piece_ = nullptr;
  int count_ = 1, started_ = 0;
  bool flush_ = false;
};

Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

bool in_parallel() { return inside; }

void parallel_for(int64_t n, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  if (n <= 0) return;
  if (n <= grain) return body(0, n);
  const int64_t pieces = (n + grain - 1) / grain;
  const auto piece = [&](int64_t i) { body(i * grain, std::min(n, (i + 1) * grain)); };
  const auto count = static_cast<int>(std::min<int64_t>(pieces, inside ? 1 : thread_count()));
  if (count > 1 && pool().run(count, pieces, piece)) return;
  for (int64_t i = 0; i < pieces; ++i) piece(i);
}

#ifdef SCRY_BLAS_PLAIN
OneThread::OneThread() : before_(0) {}
OneThread::~OneThread() = default;
#else
OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }
#endif

int thread_count() { return threads().load(std::memory_order_relaxed); }

void set_thread_count(int count) {
  require(count >= 1, "set_thread_count: expected at least 1, got ", count);
  threads() = std::min(count, most_threads());
}

void set_flush_denormals(bool flush) { set_flush_denormals_here(flush); }

}  // namespace scry
