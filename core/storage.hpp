#pragma once

#include <scry/core/ref.hpp>
#include <cstddef>
#include <memory>

namespace scry {

/// The memory that tensors look at. Tensors hold a Storage and an offset, so moving a storage into an arena moves every view of it.
class Storage : public RefCounted<Storage> {
 public:
  /// New memory from the pool, contents unspecified.
  static Ref<Storage> allocate(size_t bytes);
  /// `bytes` bytes of `arena` from `offset` on; keeps the arena alive.
  static Ref<Storage> window(const Ref<Storage>& arena, size_t offset, size_t bytes);
  /// Somebody else's memory; `owner` is kept until the last tensor lets go.
  static Ref<Storage> borrow(void* data, size_t bytes, std::shared_ptr<const void> owner);

  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  /// Counts the changes in place, so that the tape notices when a value it saved is no longer there.
  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

  /// Whether this is memory from the pool that one tensor alone looks at.
  bool expendable() const { return memory_ != Memory::others && unique(); }
  /// Copies the contents to `offset` in `arena` and looks there from now on.
  void move_into(const Ref<Storage>& arena, size_t offset);
  /// The arena that this storage is a window of, or nothing.
  const Ref<Storage>& arena() const { return arena_; }

 private:
  friend class RefCounted<Storage>;
  Storage() = default;
  static Ref<Storage> make(size_t data_beside);
  void dispose();
  void let_go();

  enum class Memory : uint8_t { beside, pooled, others };  // small ones lie beside the storage itself, in one block

  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
  size_t block_bytes_ = 0;  // of the block that holds this storage
  std::atomic<uint32_t> version_{0};
  Memory memory_ = Memory::others;
  Ref<Storage> arena_;
  std::shared_ptr<const void> owner_;
};

}  // namespace scry
