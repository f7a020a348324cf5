#include <scry/core/memory.hpp>
#include <scry/core/room.hpp>

namespace scry {

void require_room(std::string_view op, const Shape& shape, DType dtype) {
  constexpr double worth_asking = int64_t{1} << 30;
  auto bytes = static_cast<double>(size_of(dtype));
  for (int64_t size : shape) {
    require(size >= 0, op, ": sizes can't be negative, got shape ", shape);
    bytes *= static_cast<double>(size);
  }
  if (bytes < worth_asking || bytes <= static_cast<double>(memory::available())) return;
  memory::release_cached();
  const size_t left = memory::available();
  require(bytes <= static_cast<double>(left), op, ": a tensor of shape ", shape, " and type ", dtype, " takes ", bytes / (1 << 20), " MiB, and ",
          left >> 20, " MiB are left on this machine; use a smaller batch or tensor");
}

Tensor empty_for(const char* op, const Shape& shape, DType dtype) {
  const memory::Requester requester(op);
  return Tensor::empty(shape, dtype);
}

}  // namespace scry
