#include "conformance/node.hpp"

// Elements by indices.
namespace scry::conformance {
namespace {

Outputs gather_slices(const Node& node) {
  const Tensor &x = node.in(0), &index = node.in(1);
  const int axis = axis_of(node, 0, x.rank());
  Shape shape = x.shape();
  shape.erase(axis);
  for (int i = 0; i < index.rank(); ++i) shape.insert(axis + i, index.size(i));
  return {reshape(index_select(x, reshape(index, {index.numel()}), axis), shape)};
}

Outputs gather_elements(const Node& node) { return {gather(node.in(0), node.in(1), static_cast<int>(node.integer("axis", 0)))}; }

Tensor combined(const std::string& reduction, const Tensor& a, const Tensor& b) {
  if (reduction == "none") return b;
  if (reduction == "add") return a + b;
  if (reduction == "mul") return a * b;
  if (reduction == "max") return maximum(a, b);
  supported(reduction == "min", "the reduction ", reduction, " isn't known");
  return minimum(a, b);
}

// Step by step along the axis, so that indices that are given several times are combined one after the other.
Outputs scatter_elements(const Node& node) {
  Tensor y = node.in(0);
  const Tensor &index = node.in(1), &updates = node.in(2);
  const int axis = axis_of(node, 0, y.rank());
  const std::string reduction = node.word("reduction", "none");
  if (reduction == "none") return {scatter(y, index, updates, axis)};
  if (reduction == "add") return {scatter_add(y, index, updates, axis)};
  for (int64_t k = 0; k < index.size(axis); ++k) {
    const Tensor at = narrow(index, axis, k, 1);
    y = scatter(y, at, combined(reduction, gather(y, at, axis), narrow(updates, axis, k, 1)), axis);
  }
  return {y};
}

// Indices [..., k] into the first k of `sizes`, as one number each: [...].
Tensor flat_index(const Tensor& index, const Integers& sizes) {
  Tensor flat = zeros(select(index, -1, 0).shape(), i64);
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Tensor at = select(index, -1, static_cast<int64_t>(i));
    flat = flat * static_cast<double>(sizes[i]) + where(lt(at, 0), at + static_cast<double>(sizes[i]), at);
  }
  return flat;
}

int64_t product(const Integers& sizes) {
  int64_t count = 1;
  for (int64_t size : sizes) count *= size;
  return count;
}

Outputs gather_nd(const Node& node) {
  const Tensor &x = node.in(0), &index = node.in(1);
  const auto batch = static_cast<int>(node.integer("batch_dims", 0));
  const auto depth = static_cast<int>(index.size(-1));
  Integers batches, looked_up, kept;
  for (int i = 0; i < x.rank(); ++i) (i < batch ? batches : i < batch + depth ? looked_up : kept).push_back(x.size(i));
  // All batches side by side: batch b's elements begin at b times their number.
  const int64_t count = product(batches), each = product(looked_up), width = product(kept);
  const Tensor flat = reshape(flat_index(index, looked_up), {count, -1});
  const Tensor rows = reshape(flat + unsqueeze(arange(count) * static_cast<double>(each), 1), {-1});
  Shape shape = index.shape();
  shape.erase(index.rank() - 1);
  for (int64_t size : kept) shape.push_back(size);
  return {reshape(index_select(reshape(x, {count * each, width}), rows, 0), shape)};
}

Outputs scatter_nd(const Node& node) {
  const Tensor &x = node.in(0), &index = node.in(1);
  const auto depth = static_cast<int>(index.size(-1));
  Integers looked_up, kept;
  for (int i = 0; i < x.rank(); ++i) (i < depth ? looked_up : kept).push_back(x.size(i));
  const int64_t width = product(kept);
  const Tensor rows = reshape(flat_index(index, looked_up), {-1, 1}), updates = reshape(node.in(2), {rows.numel(), width});
  Tensor y = reshape(x, {product(looked_up), width});
  const std::string reduction = node.word("reduction", "none");
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const Tensor at = expand(narrow(rows, 0, i, 1), {1, width});
    y = scatter(y, at, combined(reduction, gather(y, at, 0), narrow(updates, 0, i, 1)), 0);
  }
  return {reshape(y, x.shape())};
}

// An index that is out of range has no hot element.
Outputs one_hot_of(const Node& node) {
  const Tensor index = cast(node.in(0), i64), &values = node.in(2);
  const int64_t depth = node.in(1).item<int64_t>();
  const auto axis = static_cast<int>(node.integer("axis", -1));
  const Tensor at = where(lt(index, 0), index + static_cast<double>(depth), index);
  const Tensor hot = eq(unsqueeze(at, at.rank()), arange(depth));
  return {movedim(where(hot, select(values, 0, 1), select(values, 0, 0)), -1, axis)};
}

Outputs compress(const Node& node) {
  const Tensor at = reshape(nonzero(node.in(1)), {-1});
  if (!node.attributes.contains("axis")) return {index_select(reshape(node.in(0), {-1}), at, 0)};
  return {index_select(node.in(0), at, static_cast<int>(node.integer("axis", 0)))};
}

}  // namespace

void add_indexing(Table& table) {
  table.insert({
      {"Gather", gather_slices},
      {"GatherElements", gather_elements},
      {"GatherND", gather_nd},
      {"Scatter", scatter_elements},
      {"ScatterElements", scatter_elements},
      {"ScatterND", scatter_nd},
      {"OneHot", one_hot_of},
      {"Compress", compress},
      {"NonZero", [](const Node& node) -> Outputs { return {transpose(nonzero(node.in(0)), 0, 1)}; }},
  });
}

}  // namespace scry::conformance
