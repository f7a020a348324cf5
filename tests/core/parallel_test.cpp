#include <scry/core/parallel.hpp>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

TEST(Parallel, CoversEveryIndexOnce) {
  for (const int threads : {1, 2, 3, 5}) {
    const Threads some(threads);
    for (const int64_t n : {0, 1, 2, 3, 7, 100, 1001}) {
      for (const int64_t grain : {1, 2, 3, 10, 1000, 5000}) {
        std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
        parallel_for(n, grain, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
        });
        for (const auto& count : seen) ASSERT_EQ(count, 1) << n << " by " << grain;
      }
    }
  }
}

TEST(Parallel, NothingToDoCallsNothing) {
  int calls = 0;
  parallel_for(0, 10, [&](int64_t, int64_t) { ++calls; });
  parallel_for(-5, 10, [&](int64_t, int64_t) { ++calls; });
  EXPECT_EQ(calls, 0);
}

std::set<std::pair<int64_t, int64_t>> pieces(int64_t n, int64_t grain) {
  std::set<std::pair<int64_t, int64_t>> out;
  std::mutex mutex;
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    out.emplace(begin, end);
  });
  return out;
}

TEST(Parallel, PiecesDependOnTheGrainAlone) {
  for (const int64_t n : {1, 10, 100, 1000}) {
    for (const int64_t grain : {1, 3, 64, 1000}) {
      std::set<std::pair<int64_t, int64_t>> expected;
      for (int64_t begin = 0; begin < n; begin += grain) expected.emplace(begin, std::min(n, begin + grain));
      for (const int threads : {1, 2, 3, 7}) {
        const Threads some(threads);
        EXPECT_EQ(pieces(n, grain), expected);
      }
    }
  }
}

TEST(Parallel, RunsOnAsManyThreadsAsAsked) {
  for (const int threads : {1, 2, 3}) {
    const Threads some(threads);
    EXPECT_EQ(thread_count(), threads);
    std::set<std::thread::id> ids;
    std::mutex mutex;
    const auto all_here = [&] {
      const std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
      return ids.size() >= static_cast<size_t>(threads);
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    parallel_for(30, 1, [&](int64_t, int64_t) {
      while (!all_here() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    });
    EXPECT_EQ(ids.size(), static_cast<size_t>(threads));
  }
  EXPECT_FAILS(set_thread_count(0), "set_thread_count", "got 0");
  EXPECT_FAILS(set_thread_count(-1), "set_thread_count");
}

TEST(Parallel, AThreadThatIsAwayKeepsNobodyWaiting) {
  const Threads two(2);
  std::atomic<int> done{0};
  parallel_for(100, 1, [&](int64_t begin, int64_t) {
    // Whoever gets the first piece stays there until the others have been seen to.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (begin == 0 && done < 99 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 100);
}

TEST(Parallel, MoreThreadsThanAreOfUseAreFewer) {
  const Threads many(100'000);
  EXPECT_GE(thread_count(), 16);
  EXPECT_LE(thread_count(), 256);
  std::atomic<int64_t> sum{0};
  parallel_for(1000, 1, [&](int64_t begin, int64_t) { sum += begin; });
  EXPECT_EQ(sum, 499'500);
}

TEST(Parallel, NestedLoopsRunInTheirThread) {
  const Threads two(2);
  EXPECT_FALSE(in_parallel());
  std::atomic<int> elsewhere{0}, outside{0}, indices{0};
  parallel_for(8, 1, [&](int64_t, int64_t) {
    outside += !in_parallel();
    const auto here = std::this_thread::get_id();
    parallel_for(100, 1, [&](int64_t begin, int64_t end) {
      elsewhere += std::this_thread::get_id() != here;
      outside += !in_parallel();
      indices += static_cast<int>(end - begin);
    });
    outside += !in_parallel();
  });
  EXPECT_EQ(elsewhere, 0);
  EXPECT_EQ(outside, 0);
  EXPECT_EQ(indices, 800);
  EXPECT_FALSE(in_parallel());
}

TEST(Parallel, SeveralThreadsMayRunLoops) {
  const Threads two(2);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i)
    others.emplace_back([&] {
      for (int round = 0; round < 50; ++round)
        parallel_for(100, 7, [&](int64_t begin, int64_t end) {
          for (int64_t k = begin; k < end; ++k) sum += k;
        });
    });
  for (auto& other : others) other.join();
  EXPECT_EQ(sum, 3 * 50 * 4950);
}

// Whether each of `pieces` pieces of a parallel loop, over all threads, sees denormals as zero.
std::vector<char> flushed(int64_t count) {
  std::vector<char> out(static_cast<size_t>(count));
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      volatile float x = std::numeric_limits<float>::min();
      volatile float y = x / 4;
      out[static_cast<size_t>(i)] = y == 0;
    }
  });
  return out;
}

class FlushDenormals : public ::testing::Test {
 protected:
  void SetUp() override {
#ifndef __SSE2__
    GTEST_SKIP() << "this processor isn't told to flush denormals";
#endif
  }
  ~FlushDenormals() override {
    const Threads three(3);
    set_flush_denormals(false);
  }
};

TEST_F(FlushDenormals, ReachesEveryWorker) {
  for (const int threads : {1, 2, 3}) {
    const Threads some(threads);
    set_flush_denormals(true);
    EXPECT_EQ(flushed(12), std::vector<char>(12, 1)) << threads;
    set_flush_denormals(false);
    EXPECT_EQ(flushed(12), std::vector<char>(12, 0)) << threads;
  }
}

TEST_F(FlushDenormals, ReachesWorkersThatComeLater) {
  {
    const Threads three(3);
    flushed(12);
  }
  const Threads one(1);
  set_flush_denormals(true);
  for (const int threads : {2, 3, 5}) {
    const Threads some(threads);
    EXPECT_EQ(flushed(12), std::vector<char>(12, 1)) << threads;
  }
  set_flush_denormals(false);
  for (const int threads : {2, 5}) {
    const Threads some(threads);
    EXPECT_EQ(flushed(12), std::vector<char>(12, 0)) << threads;
  }
}

}  // namespace
}  // namespace scry
