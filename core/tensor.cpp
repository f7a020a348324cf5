#include <scry/core/kernels/convert.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/room.hpp>
#include <scry/core/tensor.hpp>
#include <algorithm>
#include <cstring>
#include <optional>

namespace scry {
namespace {

bool is_row_major(const Shape& shape, const Shape& strides) {
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= std::max<int64_t>(shape[i], 1);
  }
  return true;
}

// The least and greatest offset of an element from the first; nothing where 64 bits don't hold them.
std::optional<std::pair<int64_t, int64_t>> reach(const Shape& shape, const Shape& strides) {
  int64_t low = 0, high = 0;
  for (int i = 0; i < shape.rank(); ++i) {
    int64_t span = 0;
    int64_t& end = strides[i] < 0 ? low : high;
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &span) || __builtin_add_overflow(end, span, &end)) return std::nullopt;
  }
  return std::pair{low, high};
}

TensorNode* new_node(const Shape& shape, DType dtype) { return new (memory::allocate(sizeof(TensorNode))) TensorNode(shape, dtype); }

// The number of elements, and row-major strides for them: both at once, since every tensor needs them.
int64_t lay_out(const Shape& shape, Shape& strides) {
  int64_t count = 1;
  bool plain = true;
  strides = shape;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = count;
    plain &= shape[i] > 0 && !__builtin_mul_overflow(count, shape[i], &count);
  }
  if (plain) return count;
  strides = row_major_strides(shape);
  return element_count(shape);
}

}  // namespace

void TensorNode::dispose() {
  this->~TensorNode();
  memory::deallocate(this, sizeof(TensorNode));
}

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  Tensor tensor(Ref<TensorNode>::adopt(new_node(shape, dtype)));
  TensorNode& node = *tensor.node_;
  try {
    node.count = lay_out(shape, node.strides);
    require(node.count <= INT64_MAX / 8, "shape ", shape, ": more bytes than 64 bits can count");
    node.storage = Storage::allocate(static_cast<size_t>(node.count) * size_of(dtype));
  } catch (const Error&) {
    require_room(memory::Requester::current(), shape, dtype);
    throw;
  }
  return tensor;
}

Tensor Tensor::empty_strided(const Shape& shape, const Shape& strides, DType dtype) {
  Tensor tensor = empty(shape, dtype);
  if (tensor.numel() > 0) {
    const auto ends = strides.rank() == shape.rank() ? reach(shape, strides) : std::nullopt;
    require(ends && ends->first == 0 && ends->second == tensor.numel() - 1, "empty_strided: strides ", strides, " don't lay shape ", shape,
            " out without gaps");
  }
  tensor.node_->strides = strides;
  tensor.node_->contiguous = tensor.numel() == 0 || is_row_major(shape, strides);
  return tensor;
}

Tensor Tensor::view(Ref<Storage> storage, int64_t offset, const Shape& shape, const Shape& strides, DType dtype) {
  const int64_t count = element_count(shape);
  require(strides.rank() == shape.rank(), "view: shape ", shape, " and strides ", strides, " differ in rank");
  const auto held = static_cast<int64_t>(storage->bytes() / size_of(dtype));
  if (count > 0) {
    const auto ends = reach(shape, strides);
    require(ends && offset >= 0 && offset < held && ends->first >= -offset && ends->second < held - offset, "view: shape ", shape, " with strides ",
            strides, " from ", offset, " leaves a storage of ", held, " elements");
  }
  Tensor tensor(Ref<TensorNode>::adopt(new_node(shape, dtype)));
  TensorNode& node = *tensor.node_;
  node.storage = std::move(storage);
  node.offset = offset;
  node.count = count;
  node.strides = strides;
  node.contiguous = count == 0 || is_row_major(shape, strides);
  return tensor;
}

Tensor Tensor::detach() const {
  const TensorNode& from = node();
  Tensor tensor(Ref<TensorNode>::adopt(new_node(from.shape, from.dtype)));
  TensorNode& node = *tensor.node_;
  node.storage = from.storage;
  node.offset = from.offset;
  node.count = from.count;
  node.strides = from.strides;
  node.contiguous = from.contiguous;
  return tensor;
}

Tensor Tensor::copy_of(const void* values, size_t count, const Shape& shape, DType dtype) {
  require(static_cast<int64_t>(count) == element_count(shape), "Tensor::of: ", count, " values don't fill shape ", shape);
  Tensor tensor = empty(shape, dtype);
  if (count) std::memcpy(tensor.raw(), values, count * size_of(dtype));
  return tensor;
}

double Tensor::single_value() const {
  require(numel() == 1, "item: expected one element, got shape ", shape());
  return dispatch(dtype(), [&]<class T>() { return static_cast<double>(*static_cast<const T*>(raw())); });
}

int64_t Tensor::single_integer() const {
  require(numel() == 1, "item: expected one element, got shape ", shape());
  return dispatch(dtype(), [&]<class T>() { return kernels::convert<int64_t>(*static_cast<const T*>(raw())); });
}

void Tensor::copy_values(void* out, DType dtype) const {
  const Tensor dense = kernels::contiguous(kernels::cast(*this, dtype));
  if (numel()) std::memcpy(out, dense.raw(), static_cast<size_t>(numel()) * size_of(dtype));
}

}  // namespace scry
