#pragma once

#include <cstddef>
#include <cstdint>

namespace scry::memory {

/// Every block starts on a cache line, and its size is rounded up to whole ones.
inline constexpr size_t alignment = 64;

/// A block of at least `bytes` bytes, contents unspecified, from the caching pool: blocks that were given back are kept for the next
/// request of their size class, so a loop in its steady state never calls the system. Zero bytes give a null pointer.
/// Throws Error when the machine or its container hasn't that much memory left.
void* allocate(size_t bytes);

/// Gives back a block; `bytes` as it was asked for. Any thread may give back another's.
void deallocate(void* block, size_t bytes) noexcept;

/// Returns the blocks cached by this thread and those shared by all to the system.
void release_cached() noexcept;

struct Statistics {
  int64_t system_calls;  ///< blocks taken from the system since the start
  int64_t system_bytes;  ///< bytes held from the system now, in use or cached
};
Statistics statistics();

/// Bytes that the machine, or the container around the process, can still give.
size_t available();

}  // namespace scry::memory
