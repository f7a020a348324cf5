#include <scry/core/shape.hpp>
#include <algorithm>

namespace scry {

Shape Shape::filled(int rank, int64_t value) {
  Shape shape;
  for (int i = 0; i < rank; ++i) shape.push_back(value);
  return shape;
}

void Shape::insert(int axis, int64_t size) {
  require(rank_ < max_rank, "shape: at most ", max_rank, " axes, and there are that many already");
  std::copy_backward(sizes_ + axis, sizes_ + rank_, sizes_ + rank_ + 1);
  sizes_[axis] = size;
  ++rank_;
}

void Shape::erase(int axis) {
  std::copy(sizes_ + axis + 1, sizes_ + rank_, sizes_ + axis);
  sizes_[--rank_] = 0;
}

void append_text(std::string& out, const Shape& shape) {
  out += '[';
  for (int i = 0; i < shape.rank(); ++i) {
    if (i) out += ", ";
    append_integer(out, shape[i]);
  }
  out += ']';
}

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  bool overflow = false, empty = false;
  for (int64_t size : shape) {
    require(size >= 0, "shape ", shape, ": sizes can't be negative");
    empty |= size == 0;
    overflow |= __builtin_mul_overflow(count, size, &count);
  }
  if (empty) return 0;
  require(!overflow, "shape ", shape, ": more elements than 64 bits can count");
  return count;
}

Shape row_major_strides(const Shape& shape) {
  Shape strides = shape;
  uint64_t step = 1;  // of an empty shape the product may wrap around, and doesn't matter
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = static_cast<int64_t>(step);
    step *= static_cast<uint64_t>(std::max<int64_t>(shape[i], 1));
  }
  return strides;
}

Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape out = longer;
  const int lead = longer.rank() - shorter.rank();
  for (int i = 0; i < shorter.rank(); ++i) {
    const int64_t x = longer[lead + i], y = shorter[i];
    require(x == y || x == 1 || y == 1, op, ": shapes ", a, " and ", b, " don't broadcast; aligned at the right, sizes must be equal or 1");
    out[lead + i] = x == 1 ? y : x;
  }
  return out;
}

void axis_out_of_range(std::string_view op, int axis, int rank) { fail(op, ": axis ", axis, " is out of range for a tensor of rank ", rank); }

uint32_t axis_mask(std::string_view op, std::span<const int> axes, int rank) {
  if (axes.empty()) return (1u << rank) - 1;
  uint32_t mask = 0;
  for (int axis : axes) {
    const uint32_t bit = 1u << wrap_axis(op, axis, rank);
    require(!(mask & bit), op, ": axis ", axis, " is given twice");
    mask |= bit;
  }
  return mask;
}

}  // namespace scry
