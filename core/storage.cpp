#include <scry/core/error.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/storage.hpp>
#include <cstring>

namespace scry {

Ref<Storage> Storage::allocate(size_t bytes) {
  auto storage = Ref<Storage>::adopt(new (memory::allocate(sizeof(Storage))) Storage);
  storage->data_ = static_cast<std::byte*>(memory::allocate(bytes));
  storage->bytes_ = bytes;
  storage->pooled_ = true;
  return storage;
}

Ref<Storage> Storage::window(const Ref<Storage>& arena, size_t offset, size_t bytes) {
  require(offset <= arena->bytes() && bytes <= arena->bytes() - offset, "storage: a window of ", bytes, " bytes at ", offset, " leaves an arena of ",
          arena->bytes());
  auto storage = Ref<Storage>::adopt(new (memory::allocate(sizeof(Storage))) Storage);
  storage->data_ = arena->data() + offset;
  storage->bytes_ = bytes;
  storage->arena_ = arena;
  return storage;
}

Ref<Storage> Storage::borrow(void* data, size_t bytes, std::shared_ptr<const void> owner) {
  auto storage = Ref<Storage>::adopt(new (memory::allocate(sizeof(Storage))) Storage);
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
  if (pooled_) memory::deallocate(data_, bytes_);
  pooled_ = false;
  arena_ = nullptr;
  owner_ = nullptr;
}

void Storage::dispose() {
  let_go();
  this->~Storage();
  memory::deallocate(this, sizeof(Storage));
}

}  // namespace scry
