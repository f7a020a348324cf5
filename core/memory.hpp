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

namespace detail {
extern constinit thread_local const char* requester;
}

/// While one lives, errors about memory in its thread begin with `name`, that of the op which needs it, instead of "memory".
class Requester {
 public:
  explicit Requester(const char* name) : outer_(detail::requester) { detail::requester = name; }
  ~Requester() { detail::requester = outer_; }
  static const char* current() { return detail::requester; }
  Requester(const Requester&) = delete;
  Requester& operator=(const Requester&) = delete;

 private:
  const char* outer_;
};

/// A block of `count` elements for the length of a scope, contents unspecified.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count) : bytes_(static_cast<size_t>(count) * sizeof(T)), data_(static_cast<T*>(allocate(bytes_))) {}
  ~Scratch() { deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return data_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  size_t bytes_;
  T* data_;
};

struct Statistics {
  int64_t system_calls;  ///< blocks taken from the system since the start
  int64_t system_bytes;  ///< bytes held from the system now, in use or cached
};
Statistics statistics();

/// Bytes that the machine, or the container around the process, can still give.
size_t available();

}  // namespace scry::memory
