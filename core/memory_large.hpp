#pragma once

#include <cstddef>

namespace scry::memory {

/// The large blocks of the pool. They are cut from segments of address space and joined with their free neighbours when they come back, so that what
/// the tensors of one size leave serves those of another. A header on the cache line before a block knows its neighbours. Not for several threads at
/// once.
class LargeBlocks {
 public:
  /// A block out of what has come back, or null.
  void* reuse(size_t bytes);
  /// A block that takes more memory from the system, or null if there is none. `taken`: how many bytes more.
  void* grow(size_t bytes, size_t& taken);
  void give_back(void* block);
  /// Returns free memory to the system; the number of bytes that are held no longer. Gaps between blocks in use lose their pages, and are held on to.
  size_t release();

 private:
  struct Segment;
  struct Chunk;

  void* use(Chunk* chunk, size_t bytes);
  void put(Chunk* chunk);
  void remove(Chunk* chunk);
  Chunk* join(Chunk* chunk);
  Segment* with_room(size_t bytes);

  Segment* segments_ = nullptr;
  Chunk* free_ = nullptr;  // the latest first
};

}  // namespace scry::memory
