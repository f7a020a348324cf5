#include <scry/core/kernels/copy.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/tensor.hpp>
#include <algorithm>
#include <cstring>

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

TensorNode* new_node(const Shape& shape, DType dtype) {
  auto* node = new (memory::allocate(sizeof(TensorNode))) TensorNode;
  node->shape = shape;
  node->dtype = dtype;
  return node;
}

}  // namespace

void TensorNode::dispose() {
  this->~TensorNode();
  memory::deallocate(this, sizeof(TensorNode));
}

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  const int64_t count = element_count(shape);
  Tensor tensor(Ref<TensorNode>::adopt(new_node(shape, dtype)));
  TensorNode& node = *tensor.node_;
  node.count = count;
  node.strides = row_major_strides(shape);
  node.storage = Storage::allocate(static_cast<size_t>(count) * size_of(dtype));
  return tensor;
}

Tensor Tensor::empty_strided(const Shape& shape, const Shape& strides, DType dtype) {
  Tensor tensor = empty(shape, dtype);
  tensor.node_->strides = strides;
  tensor.node_->contiguous = tensor.numel() == 0 || is_row_major(shape, strides);
  return tensor;
}

Tensor Tensor::view(Ref<Storage> storage, int64_t offset, const Shape& shape, const Shape& strides, DType dtype) {
  const int64_t count = element_count(shape);
  int64_t first = offset, last = offset;
  for (int i = 0; i < shape.rank(); ++i) (strides[i] < 0 ? first : last) += (shape[i] - 1) * strides[i];
  const auto held = static_cast<int64_t>(storage->bytes() / size_of(dtype));
  require(count == 0 || (first >= 0 && last < held), "view: shape ", shape, " with strides ", strides, " from ", offset, " leaves a storage of ",
          held, " elements");
  Tensor tensor(Ref<TensorNode>::adopt(new_node(shape, dtype)));
  TensorNode& node = *tensor.node_;
  node.storage = std::move(storage);
  node.offset = offset;
  node.count = count;
  node.strides = strides;
  node.contiguous = count == 0 || is_row_major(shape, strides);
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

void Tensor::copy_values(void* out, DType dtype) const {
  const Tensor dense = kernels::contiguous(kernels::cast(*this, dtype));
  if (numel()) std::memcpy(out, dense.raw(), static_cast<size_t>(numel()) * size_of(dtype));
}

}  // namespace scry
