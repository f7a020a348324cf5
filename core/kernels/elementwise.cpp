#include <scry/core/kernels/elementwise.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <array>
#include <cstring>

namespace scry::kernels {
namespace {

constexpr int64_t block = 512;  // elements gathered at a time where an operand isn't dense: three blocks of doubles fit in L1
constexpr int64_t grain = 1 << 15;
constexpr int operands = max_inputs + 1;

// The axes of an elementwise call after sorting by the output's strides and merging those that step alike; operand 0 is the output.
struct Walk {
  int rank = 0;
  int64_t count = 1;
  std::array<int64_t, Shape::max_rank> sizes{};
  std::array<std::array<int64_t, Shape::max_rank>, operands> strides{};
};

enum class Access { dense, constant, gathered };

// By descending stride, axes of the same stride in order: an insertion sort, which takes no memory.
std::array<int, Shape::max_rank> axes_by_stride(const Shape& strides) {
  std::array<int, Shape::max_rank> order{};
  for (int axis = 0; axis < strides.rank(); ++axis) {
    auto at = static_cast<size_t>(axis);
    for (; at > 0 && std::abs(strides[order[at - 1]]) < std::abs(strides[axis]); --at) order[at] = order[at - 1];
    order[at] = axis;
  }
  return order;
}

bool is_dense(const Shape& shape, const Shape& strides, const std::array<int, Shape::max_rank>& order) {
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int axis = order[static_cast<size_t>(i)];
    if (shape[axis] == 1) continue;
    if (strides[axis] != step) return false;
    step *= shape[axis];
  }
  return true;
}

Walk plan(const Tensor& out, std::span<const Tensor* const> inputs) {
  const Shape& shape = out.shape();
  const auto order = axes_by_stride(out.strides());
  Walk walk;
  walk.count = out.numel();
  for (int i = 0; i < shape.rank(); ++i) {
    const int axis = order[static_cast<size_t>(i)];
    if (shape[axis] == 1) continue;
    std::array<int64_t, operands> steps{};
    steps[0] = out.strides()[axis];
    for (size_t k = 0; k < inputs.size(); ++k) {
      const Tensor& x = *inputs[k];
      const int own = axis - (shape.rank() - x.rank());
      steps[k + 1] = own < 0 || x.shape()[own] == 1 ? 0 : x.strides()[own];
    }
    const auto here = static_cast<size_t>(walk.rank);
    bool merges = walk.rank > 0;
    for (size_t k = 0; merges && k <= inputs.size(); ++k) merges = walk.strides[k][here - 1] == steps[k] * shape[axis];
    const size_t slot = merges ? here - 1 : here;
    walk.sizes[slot] = merges ? walk.sizes[slot] * shape[axis] : shape[axis];
    for (size_t k = 0; k <= inputs.size(); ++k) walk.strides[k][slot] = steps[k];
    if (!merges) ++walk.rank;
  }
  return walk;
}

Access access_of(const Walk& walk, size_t operand) {
  int64_t step = 1;
  bool dense = true, constant = true;
  for (int i = walk.rank - 1; i >= 0; --i) {
    const auto axis = static_cast<size_t>(i);
    dense &= walk.strides[operand][axis] == step;
    constant &= walk.strides[operand][axis] == 0;
    step *= walk.sizes[axis];
  }
  return dense ? Access::dense : constant ? Access::constant : Access::gathered;
}

// Where element `begin` of the walk lies, along each axis.
std::array<int64_t, Shape::max_rank> index_at(const Walk& walk, int64_t begin) {
  std::array<int64_t, Shape::max_rank> index{};
  for (auto axis = static_cast<size_t>(walk.rank); axis-- > 0; begin /= walk.sizes[axis]) index[axis] = begin % walk.sizes[axis];
  return index;
}

// Moves elements [begin, begin + n) of the walk between a strided operand and a dense buffer.
template <class Element, bool to_buffer>
void move_block(const Walk& walk, size_t operand, int64_t begin, int64_t n, Element* strided, Element* dense) {
  auto index = index_at(walk, begin);
  int64_t offset = 0;
  for (size_t axis = 0; axis < static_cast<size_t>(walk.rank); ++axis) offset += index[axis] * walk.strides[operand][axis];
  const auto last = static_cast<size_t>(walk.rank - 1);
  const int64_t step = walk.strides[operand][last];
  while (n > 0) {
    const int64_t run = std::min(n, walk.sizes[last] - index[last]);
    Element* at = strided + offset;
    if constexpr (to_buffer) {
      if (step == 1)
        std::copy_n(at, run, dense);
      else if (step == 0)
        std::fill_n(dense, run, *at);
      else if (step == -1)
        std::reverse_copy(at - run + 1, at + 1, dense);
      else
        for (int64_t i = 0; i < run; ++i) dense[i] = at[i * step];
    } else {
      for (int64_t i = 0; i < run; ++i) at[i * step] = dense[i];
    }
    dense += run;
    n -= run;
    index[last] += run;
    offset += run * step;
    for (size_t axis = last; axis > 0 && index[axis] == walk.sizes[axis]; --axis) {
      offset += walk.strides[operand][axis - 1] - walk.sizes[axis] * walk.strides[operand][axis];
      index[axis] = 0;
      ++index[axis - 1];
    }
  }
}

template <bool to_buffer>
void move_block(const Walk& walk, size_t operand, size_t element_size, int64_t begin, int64_t n, void* strided, void* dense) {
  if (element_size == 4)
    move_block<uint32_t, to_buffer>(walk, operand, begin, n, static_cast<uint32_t*>(strided), static_cast<uint32_t*>(dense));
  else if (element_size == 8)
    move_block<uint64_t, to_buffer>(walk, operand, begin, n, static_cast<uint64_t*>(strided), static_cast<uint64_t*>(dense));
  else
    move_block<uint8_t, to_buffer>(walk, operand, begin, n, static_cast<uint8_t*>(strided), static_cast<uint8_t*>(dense));
}

struct Operand {
  std::byte* data;
  size_t size;
  Access access;
};

// Runs a piece whose operands aren't all dense: those that aren't pass through buffers.
void run_in_blocks(const Walk& walk, const std::array<Operand, operands>& all, size_t inputs, int64_t begin, int64_t end, Loop loop,
                   const void* function) {
  alignas(64) std::byte buffers[operands][block * 8];
  std::array<const void*, max_inputs> in{};
  for (size_t k = 1; k <= inputs; ++k)
    if (all[k].access == Access::constant) move_block<true>(walk, k, all[k].size, 0, std::min(block, end - begin), all[k].data, buffers[k]);
  for (int64_t i = begin; i < end; i += block) {
    const int64_t n = std::min(block, end - i);
    for (size_t k = 1; k <= inputs; ++k) {
      const Operand& x = all[k];
      if (x.access == Access::gathered) move_block<true>(walk, k, x.size, i, n, x.data, buffers[k]);
      in[k - 1] = x.access == Access::dense ? x.data + static_cast<size_t>(i) * x.size : buffers[k];
    }
    const Operand& out = all[0];
    if (out.access == Access::dense) {
      loop(out.data + static_cast<size_t>(i) * out.size, in.data(), n, function);
    } else {
      loop(buffers[0], in.data(), n, function);
      move_block<false>(walk, 0, out.size, i, n, out.data, buffers[0]);
    }
  }
}

// Whether the operands all lie in long dense runs, so that the loop can work on them where they are.
bool in_rows(const Walk& walk, size_t inputs) {
  const auto last = static_cast<size_t>(walk.rank - 1);
  bool dense = walk.sizes[last] >= 32;
  for (size_t k = 0; k <= inputs; ++k) dense = dense && walk.strides[k][last] == 1;
  return dense;
}

void run_in_rows(const Walk& walk, const std::array<Operand, operands>& all, size_t inputs, int64_t begin, int64_t end, Loop loop,
                 const void* function) {
  const auto last = static_cast<size_t>(walk.rank - 1);
  auto index = index_at(walk, begin);
  std::array<std::byte*, operands> at{};
  std::array<const void*, max_inputs> in{};
  const auto advance = [&](size_t k, int64_t elements) { at[k] += elements * static_cast<int64_t>(all[k].size); };
  for (size_t k = 0; k <= inputs; ++k) {
    at[k] = all[k].data;
    for (size_t axis = 0; axis <= last; ++axis) advance(k, index[axis] * walk.strides[k][axis]);
  }
  while (begin < end) {
    const int64_t run = std::min(end - begin, walk.sizes[last] - index[last]);
    std::copy_n(at.begin() + 1, inputs, in.begin());
    loop(at[0], in.data(), run, function);
    begin += run;
    for (size_t k = 0; k <= inputs; ++k) advance(k, run);
    index[last] += run;
    for (size_t axis = last; axis > 0 && index[axis] == walk.sizes[axis]; --axis) {
      for (size_t k = 0; k <= inputs; ++k) advance(k, walk.strides[k][axis - 1] - walk.sizes[axis] * walk.strides[k][axis]);
      index[axis] = 0;
      ++index[axis - 1];
    }
  }
}

}  // namespace

Shape strides_like(const Tensor& x) { return strides_like(x, x.shape()); }

Shape strides_like(const Tensor& x, const Shape& shape) {
  const auto order = axes_by_stride(x.strides());
  if (x.is_contiguous() || shape.rank() != x.rank() || !is_dense(x.shape(), x.strides(), order)) return row_major_strides(shape);
  Shape strides = shape;
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int axis = order[static_cast<size_t>(i)];
    strides[axis] = step;
    step *= std::max<int64_t>(shape[axis], 1);
  }
  return strides;
}

void elementwise_into(const Tensor& out, std::initializer_list<const Tensor*> list, Loop loop, const void* function) {
  const std::span inputs(list.begin(), list.size());
  const int64_t count = out.numel();
  if (count == 0) return;
  std::array<Operand, operands> all;
  all[0] = {static_cast<std::byte*>(out.raw()), size_of(out.dtype()), Access::dense};
  bool dense = out.is_contiguous();
  for (size_t k = 0; k < inputs.size(); ++k) {
    const Tensor& x = *inputs[k];
    all[k + 1] = {static_cast<std::byte*>(x.raw()), size_of(x.dtype()), Access::dense};
    dense = dense && x.is_contiguous() && x.shape() == out.shape();
  }
  const auto run_dense = [&](int64_t begin, int64_t end) {
    std::array<const void*, max_inputs> in;
    for (size_t k = 0; k < inputs.size(); ++k) in[k] = all[k + 1].data + static_cast<size_t>(begin) * all[k + 1].size;
    loop(all[0].data + static_cast<size_t>(begin) * all[0].size, in.data(), end - begin, function);
  };
  if (dense) return parallel_for(count, grain, run_dense);
  const Walk walk = plan(out, inputs);
  dense = true;
  for (size_t k = 0; k <= inputs.size(); ++k) {
    all[k].access = access_of(walk, k);
    dense = dense && all[k].access == Access::dense;
  }
  if (dense) return parallel_for(count, grain, run_dense);
  const auto run_strided = in_rows(walk, inputs.size()) ? run_in_rows : run_in_blocks;
  parallel_for(count, grain, [&](int64_t begin, int64_t end) { run_strided(walk, all, inputs.size(), begin, end, loop, function); });
}

Tensor elementwise(const Shape& shape, DType dtype, std::initializer_list<const Tensor*> inputs, Loop loop, const void* function) {
  const Tensor* pattern = nullptr;
  for (const Tensor* x : inputs)
    if (!pattern && x->shape() == shape) pattern = x;
  Tensor out = !pattern || pattern->is_contiguous() ? Tensor::empty(shape, dtype) : Tensor::empty_strided(shape, strides_like(*pattern), dtype);
  elementwise_into(out, inputs, loop, function);
  return out;
}

}  // namespace scry::kernels
