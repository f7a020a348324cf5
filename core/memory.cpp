#include <scry/core/error.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/memory_large.hpp>
#include <scry/core/memory_poison.hpp>
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <mutex>

namespace scry::memory {
namespace {

constexpr size_t large_size = size_t{1} << 18;          // larger blocks are cut to size and joined
constexpr size_t checked_size = size_t{1} << 24;        // system requests from here on are checked against the memory that is left
constexpr size_t thread_cached_size = size_t{1} << 16;  // smaller blocks are cached by thread, without a lock
constexpr int class_count = 4 * 48;

// Size classes: four to each doubling, so at most a fifth of a block is unused.
struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass size_class(size_t bytes) {
  const size_t lines = (bytes + alignment - 1) / alignment;
  if (lines <= 4) return {static_cast<int>(lines), lines * alignment};
  const int log = static_cast<int>(std::bit_width(lines - 1)) - 1;  // 2^log < lines <= 2^(log + 1)
  const size_t quarter = size_t{1} << (log - 2);
  const size_t steps = (lines - (size_t{1} << log) + quarter - 1) / quarter;  // 1 to 4
  return {4 * (log - 1) + static_cast<int>(steps), ((size_t{1} << log) + steps * quarter) * alignment};
}

struct FreeBlock {
  FreeBlock* next;
};

// Intrusive stacks of free blocks, one for each size class.
struct FreeLists {
  FreeBlock* heads[class_count]{};

  void* pop(int index) {
    FreeBlock* block = heads[index];
    if (block) heads[index] = block->next;
    return block;
  }
  void push(int index, void* memory, [[maybe_unused]] size_t bytes) {
    heads[index] = new (memory) FreeBlock{heads[index]};
    // The link stays readable: the leak checker follows it.
    ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(memory) + sizeof(FreeBlock), bytes - sizeof(FreeBlock));
  }
};

struct Shared {
  std::mutex mutex;
  FreeLists lists;
  LargeBlocks large;
};

// Never destroyed: tensors with static storage give blocks back after every destructor has run.
Shared& shared() {
  static Shared* const instance = new Shared;
  return *instance;
}

std::atomic<int64_t> system_calls{0};
std::atomic<int64_t> system_bytes{0};

size_t bytes_of_class(int index) {
  if (index <= 4) return static_cast<size_t>(index) * alignment;
  const int log = (index - 1) / 4 + 1, steps = (index - 1) % 4 + 1;
  return ((size_t{1} << log) + static_cast<size_t>(steps) * (size_t{1} << (log - 2))) * alignment;
}

// Returns how many blocks that were.
int32_t free_to_system(FreeLists& lists, int index) {
  int32_t count = 0;
  for (; void* block = lists.pop(index); ++count) {
    ASAN_UNPOISON_MEMORY_REGION(block, bytes_of_class(index));
    std::free(block);
    system_bytes -= static_cast<int64_t>(bytes_of_class(index));
  }
  return count;
}

// How many blocks of a size a thread keeps to itself. Others go to all, or those that one thread makes and another uses up would pile up there.
int32_t most_cached(size_t bytes) { return std::max<int32_t>(16, static_cast<int32_t>((size_t{1} << 20) / bytes)); }

// The blocks that a thread keeps to itself. Made without a constructor, so that reaching it costs nothing; there is room from the moment on when a
// CacheCloser sees to the thread's end, and none after it, for what later thread-local destructors give back.
struct ThreadCache {
  FreeLists lists;
  int32_t room[class_count];
};
constinit thread_local ThreadCache cache{};

class CacheCloser {
 public:
  CacheCloser() {
    for (int i = 1; i < class_count && bytes_of_class(i) <= thread_cached_size; ++i) cache.room[i] = most_cached(bytes_of_class(i));
  }
  ~CacheCloser() {
    Shared& common = shared();
    const std::lock_guard lock(common.mutex);
    for (int i = 0; i < class_count; ++i) {
      cache.room[i] = 0;
      while (void* block = cache.lists.pop(i)) common.lists.push(i, block, bytes_of_class(i));
    }
  }
  void open() const {}
};
thread_local const CacheCloser closer;

size_t read_number(const char* path) {
  constexpr size_t none = std::numeric_limits<size_t>::max();
  std::FILE* file = std::fopen(path, "r");
  if (!file) return none;
  unsigned long long value = 0;
  const bool ok = std::fscanf(file, "%llu", &value) == 1;
  std::fclose(file);
  return ok ? value : none;
}

void require_left(size_t bytes) {
  if (bytes < checked_size || bytes <= available()) return;
  release_cached();
  const size_t left = available();
  require(bytes <= left, Requester::current(), ": ", bytes >> 20, " MiB are asked for in one block and ", left >> 20,
          " MiB are left on this machine; use a smaller batch or tensor");
}

void* count_taken(void* block, size_t bytes) {
  require(block != nullptr, Requester::current(), ": the system refused a block of ", bytes, " bytes; use a smaller batch or tensor");
  ++system_calls;
  system_bytes += static_cast<int64_t>(bytes);
  return block;
}

void* allocate_large(size_t bytes) {
  Shared& common = shared();
  {
    const std::lock_guard lock(common.mutex);
    if (void* block = common.large.reuse(bytes)) return block;
  }
  require_left(bytes);
  const std::lock_guard lock(common.mutex);
  size_t taken = bytes;
  void* const block = common.large.grow(bytes, taken);
  return count_taken(block, taken);
}

void* allocate_shared(SizeClass wanted) {
  closer.open();
  Shared& common = shared();
  {
    const std::lock_guard lock(common.mutex);
    if (void* block = common.lists.pop(wanted.index)) return block;
  }
  return count_taken(std::aligned_alloc(alignment, wanted.bytes), wanted.bytes);
}

void deallocate_shared(void* block, SizeClass given) noexcept {
  closer.open();
  Shared& common = shared();
  const std::lock_guard lock(common.mutex);
  if (given.bytes >= large_size)
    common.large.give_back(block);
  else
    common.lists.push(given.index, block, given.bytes);
}

}  // namespace

constinit thread_local const char* detail::requester = "memory";

void* allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  require(bytes <= size_t{1} << 46, Requester::current(), ": ", bytes, " bytes are asked for in one block, more than any machine has");
  const SizeClass wanted = size_class(bytes);
  void* block = cache.lists.pop(wanted.index);
  if (block)
    ++cache.room[wanted.index];
  else
    block = wanted.bytes >= large_size ? allocate_large(bytes) : allocate_shared(wanted);
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
  return block;
}

void deallocate(void* block, size_t bytes) noexcept {
  if (!block) return;
  const SizeClass given = size_class(bytes);
  if (cache.room[given.index] > 0) {
    cache.lists.push(given.index, block, given.bytes);
    --cache.room[given.index];
  } else {
    deallocate_shared(block, given);
  }
}

void release_cached() noexcept {
  for (int i = 0; i < class_count; ++i) cache.room[i] += free_to_system(cache.lists, i);
  Shared& common = shared();
  const std::lock_guard lock(common.mutex);
  for (int i = 0; i < class_count; ++i) free_to_system(common.lists, i);
  system_bytes -= static_cast<int64_t>(common.large.release());
}

Statistics statistics() { return {system_calls.load(), system_bytes.load()}; }

size_t available() {
  size_t left = std::numeric_limits<size_t>::max();
  if (std::FILE* file = std::fopen("/proc/meminfo", "r")) {
    char line[128];
    unsigned long long kilobytes = 0;
    while (std::fgets(line, sizeof line, file))
      if (std::sscanf(line, "MemAvailable: %llu kB", &kilobytes) == 1) left = kilobytes << 10;
    std::fclose(file);
  }
  // Control groups, version 2 and then 1: how a container's limit shows inside it.
  constexpr const char* groups[][2] = {{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
                                       {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (const auto& [limit_path, usage_path] : groups) {
    const size_t limit = read_number(limit_path), usage = read_number(usage_path);
    if (limit < std::numeric_limits<size_t>::max() && usage < std::numeric_limits<size_t>::max())
      left = std::min(left, limit > usage ? limit - usage : 0);
  }
  return left;
}

}  // namespace scry::memory
