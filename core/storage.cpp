#include <scry/core/error.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/storage.hpp>
#include <cstring>

namespace scry {

namespace {

constexpr size_t beside_at = memory::alignment, most_beside = 1024;

}  // namespace

Ref<Storage> Storage::make(size_t data_beside) {
  static_assert(sizeof(Storage) <= beside_at);
  const size_t block = data_beside ? beside_at + data_beside : sizeof(Storage);
  auto storage = Ref<Storage>::adopt(new (memory::allocate(block)) Storage);
  storage->block_bytes_ = block;
  return storage;
}

Ref<Storage> Storage::allocate(size_t bytes) {
  const bool beside = bytes <= most_beside;
  Ref<Storage> storage = make(beside ? bytes : 0);
  if (bytes) storage->data_ = beside ? reinterpret_cast<std::byte*>(storage.get()) + beside_at : static_cast<std::byte*>(memory::allocate(bytes));
  storage->bytes_ = bytes;
  storage->memory_ = beside ? Memory::beside : Memory::pooled;
  return storage;
}

Ref<Storage> Storage::window(const Ref<Storage>& arena, size_t offset, size_t bytes) {
  require(offset <= arena->bytes() && bytes <= arena->bytes() - offset, "storage: a window of ", bytes, " bytes at ", offset, " leaves an arena of ",
          arena->bytes());
  Ref<Storage> storage = make(0);
  storage->data_ = arena->data() + offset;
  storage->bytes_ = bytes;
  storage->arena_ = arena;
  return storage;
}

Ref<Storage> Storage::borrow(void* data, size_t bytes, std::shared_ptr<const void> owner) {
  Ref<Storage> storage = make(0);
  storage->data_ = static_cast<std::byte*>(data);
  storage->bytes_ = bytes;
  storage->owner_ = std::move(owner);
  return storage;
}

void Storage::move_into(const Ref<Storage>& arena, size_t offset) {
  require(offset <= arena->bytes() && bytes_ <= arena->bytes() - offset, "storage: a window of ", bytes_, " bytes at ", offset,
          " leaves an arena of ", arena->bytes());
  if (bytes_) std::memcpy(arena->data() + offset, data_, bytes_);
  let_go();
  data_ = arena->data() + offset;
  arena_ = arena;
  bump_version();
}

void Storage::let_go() {
  if (memory_ == Memory::pooled) memory::deallocate(data_, bytes_);
  memory_ = Memory::others;
  arena_ = nullptr;
  owner_ = nullptr;
}

void Storage::dispose() {
  if (memory_ == Memory::pooled) memory::deallocate(data_, bytes_);
  const size_t block = block_bytes_;
  this->~Storage();
  memory::deallocate(this, block);
}

}  // namespace scry
