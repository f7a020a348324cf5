#include <scry/core/creation.hpp>
#include <scry/core/memory.hpp>
#include <algorithm>
#include <array>
#include <cstring>
#include <semaphore>
#include <thread>

#include "support.hpp"

namespace scry::memory {
namespace {

using namespace scry::test;

bool is_aligned(const void* block) { return reinterpret_cast<uintptr_t>(block) % alignment == 0; }

std::vector<size_t> sizes_around_classes() {
  std::vector<size_t> sizes;
  for (size_t bytes = 1; bytes <= 2000; ++bytes) sizes.push_back(bytes);
  for (size_t power = 2048; power <= size_t{1} << 24; power *= 2)
    for (size_t eighths = 8; eighths < 16; ++eighths)
      for (int off : {-1, 0, 1}) sizes.push_back(power / 8 * eighths + static_cast<size_t>(off));
  return sizes;
}

TEST(Memory, BlocksAreAlignedAndBarelyLargerThanAsked) {
  for (const size_t bytes : sizes_around_classes()) {
    release_cached();
    const int64_t before = statistics().system_bytes;
    void* const block = allocate(bytes);
    const auto held = static_cast<size_t>(statistics().system_bytes - before);
    ASSERT_TRUE(is_aligned(block)) << bytes;
    std::memset(block, 0xa5, bytes);
    EXPECT_GE(held, bytes);
    EXPECT_LE(held - bytes, held / 5 + alignment) << bytes;
    deallocate(block, bytes);
  }
}

TEST(Memory, BlocksComeBackForTheSameSize) {
  for (const size_t bytes : sizes_around_classes()) {
    void* const block = allocate(bytes);
    deallocate(block, bytes);
    const int64_t calls = statistics().system_calls;
    void* const again = allocate(bytes);
    EXPECT_EQ(again, block) << bytes;
    EXPECT_EQ(statistics().system_calls, calls) << bytes;
    deallocate(again, bytes);
  }
  release_cached();
}

TEST(Memory, BlocksInUseDoNotOverlap) {
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 500; ++i) {
      const size_t bytes = 1 + i * 37 % 5000;
      blocks.emplace_back(static_cast<unsigned char*>(allocate(bytes)), bytes);
      std::memset(blocks.back().first, static_cast<int>(i % 251), bytes);
    }
    for (size_t i = 0; i < blocks.size(); ++i)
      for (const size_t at : {size_t{0}, blocks[i].second - 1}) ASSERT_EQ(blocks[i].first[at], i % 251);
    for (const auto& [block, bytes] : blocks) deallocate(block, bytes);
    blocks.clear();
  }
}

TEST(Memory, SteadyStateCallsNobody) {
  const auto work = [] {
    std::vector<Tensor> live;
    for (int64_t n : {1, 10, 1000, 70'000, 1'500'000}) live.push_back(zeros({n}));
  };
  work();
  const Statistics before = statistics();
  for (int i = 0; i < 20; ++i) work();
  EXPECT_EQ(statistics().system_calls, before.system_calls);
  EXPECT_EQ(statistics().system_bytes, before.system_bytes);
}

// What blocks of one size leave serves larger and smaller ones, whatever the order in which they come back.
TEST(Memory, LargeBlocksAreJoinedAndCut) {
  constexpr size_t size = size_t{3} << 20;
  for (const std::array<int, 4>& order : {std::array{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {1, 3, 0, 2}}) {
    release_cached();
    void *blocks[4], *const fence = (std::generate_n(blocks, 4, [] { return allocate(size); }), allocate(size));
    for (const int i : order) deallocate(blocks[i], size);
    const Statistics before = statistics();
    void* const joined = allocate(4 * size);
    std::memset(joined, 1, 4 * size);
    deallocate(joined, 4 * size);
    void* const cut[] = {allocate(2 * size - 4096), allocate(size + 4096), allocate(size)};
    EXPECT_EQ(statistics().system_calls, before.system_calls);
    EXPECT_EQ(statistics().system_bytes, before.system_bytes);
    deallocate(cut[1], size + 4096);
    deallocate(cut[0], 2 * size - 4096);
    deallocate(fence, size);
    deallocate(cut[2], size);
  }
  release_cached();
}

TEST(Memory, LargeBlocksInUseDoNotOverlap) {
  struct Block {
    unsigned char* data;
    size_t bytes;
    unsigned char mark;
  };
  release_cached();
  const int64_t before = statistics().system_bytes;
  std::vector<Block> blocks;
  uint64_t random = 1;
  for (int i = 0; i < 800; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    if (blocks.size() < 30 && random >> 63) {
      const size_t bytes = (size_t{2} << 20) + (random >> 20) % (size_t{20} << 20);
      blocks.push_back({static_cast<unsigned char*>(allocate(bytes)), bytes, static_cast<unsigned char>(i)});
      for (size_t at = 0; at < bytes; at += 4096) blocks.back().data[at] = blocks.back().mark;
      blocks.back().data[bytes - 1] = blocks.back().mark;
    } else if (!blocks.empty()) {
      std::swap(blocks[(random >> 20) % blocks.size()], blocks.back());
      const auto& [data, bytes, mark] = blocks.back();
      for (size_t at = 0; at < bytes; at += 4096) ASSERT_EQ(data[at], mark);
      ASSERT_EQ(data[bytes - 1], mark);
      deallocate(data, bytes);
      blocks.pop_back();
    }
    if (i % 250 == 200) release_cached();
  }
  for (const auto& [data, bytes, mark] : blocks) deallocate(data, bytes);
  release_cached();
  EXPECT_EQ(statistics().system_bytes, before);
}

TEST(Memory, ZeroBytesAreNothing) {
  const Statistics before = statistics();
  EXPECT_EQ(allocate(0), nullptr);
  deallocate(nullptr, 0);
  EXPECT_EQ(statistics().system_calls, before.system_calls);
}

TEST(Memory, TooMuchIsAnErrorWithTheSize) {
  const int64_t before = statistics().system_bytes;
  EXPECT_FAILS(allocate(size_t{1} << 45), "memory", "33554432 MiB", "smaller");
  EXPECT_FAILS(allocate((size_t{1} << 46) + 1), "memory", "70368744177665 bytes");
  EXPECT_FAILS(allocate(SIZE_MAX), "memory", "bytes");
  EXPECT_LE(statistics().system_bytes, before);
  EXPECT_FAILS(zeros({int64_t{1} << 42}), "MiB");
}

// The number of elements fits in 64 bits here, and the number of bytes doesn't.
TEST(Memory, BytesThatOverflowAreAnError) {
  for (const DType dtype : {i64, f32, f64})
    for (const int64_t count : {int64_t{1} << 61, int64_t{1} << 62, (int64_t{1} << 61) + 8, INT64_MAX})
      EXPECT_NE(message_of([&] { Tensor::empty({count}, dtype); }), "nothing was thrown") << count << " of " << name_of(dtype);
}

TEST(Memory, AvailableIsWhatAMachineHas) {
  EXPECT_GT(available(), size_t{1} << 20);
  EXPECT_LT(available(), size_t{1} << 46);
}

TEST(Memory, ReleaseCachedGivesBack) {
  release_cached();
  const int64_t before = statistics().system_bytes;
  for (const size_t bytes : {size_t{100}, size_t{100'000}, size_t{10'000'000}}) deallocate(allocate(bytes), bytes);
  EXPECT_GT(statistics().system_bytes, before + 10'000'000);
  release_cached();
  EXPECT_EQ(statistics().system_bytes, before);
}

TEST(Memory, AnotherThreadMayGiveBack) {
  for (const size_t bytes : {size_t{64}, size_t{5000}, size_t{1} << 16, (size_t{1} << 16) + 1, size_t{3} << 20}) {
    release_cached();
    void* const block = allocate(bytes);
    std::thread([&] { deallocate(block, bytes); }).join();
    // That thread has ended and left its blocks to the others.
    const int64_t calls = statistics().system_calls;
    EXPECT_EQ(allocate(bytes), block) << bytes;
    EXPECT_EQ(statistics().system_calls, calls);
    deallocate(block, bytes);
  }
}

// One thread makes what another one uses up, as a data loader does.
TEST(Memory, BlocksGoRoundBetweenThreads) {
  constexpr size_t bytes = 16384;
  constexpr int rounds = 4000;
  release_cached();
  const int64_t before = statistics().system_bytes;
  void* handed = nullptr;
  std::binary_semaphore full(0), empty(1);
  std::thread producer([&] {
    for (int i = 0; i < rounds; ++i) {
      empty.acquire();
      handed = allocate(bytes);
      full.release();
    }
  });
  for (int i = 0; i < rounds; ++i) {
    full.acquire();
    deallocate(handed, bytes);
    empty.release();
  }
  producer.join();
  EXPECT_LT(statistics().system_bytes - before, int64_t{rounds} * int64_t{bytes} / 4);
  release_cached();
}

TEST(Memory, ThreadsDoNotGetEachOthersBlocks) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int id = 0; id < 4; ++id)
    threads.emplace_back([id, &wrong] {
      std::vector<std::pair<unsigned char*, size_t>> mine;
      for (size_t i = 0; i < 2000; ++i) {
        const size_t bytes = 1 + (i * 7919) % 100'000;
        mine.emplace_back(static_cast<unsigned char*>(allocate(bytes)), bytes);
        mine.back().first[0] = mine.back().first[bytes - 1] = static_cast<unsigned char>(id);
        if (mine.size() < 20) continue;
        for (const auto& [block, size] : mine) {
          wrong += block[0] != id || block[size - 1] != id;
          deallocate(block, size);
        }
        mine.clear();
      }
      for (const auto& [block, size] : mine) deallocate(block, size);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace scry::memory
