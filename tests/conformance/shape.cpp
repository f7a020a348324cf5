#include "conformance/node.hpp"

#include <algorithm>

// Other shapes of the same elements, parts, and elements in other places.
namespace scry::conformance {
namespace {

Outputs identity(const Node& node) { return {node.in(0)}; }

Outputs reshape_to(const Node& node) {
  const Tensor& x = node.in(0);
  const std::optional<Integers> wanted = node.integers_or_input("shape", 1);
  require(wanted.has_value(), "Reshape: there is no shape");
  Shape shape = to_shape(*wanted);
  for (int i = 0; i < shape.rank() && !node.flag("allowzero"); ++i)
    if (shape[i] == 0) shape[i] = x.size(i);
  return {reshape(x, shape)};
}

Outputs flatten_to_matrix(const Node& node) {
  const Tensor& x = node.in(0);
  const auto axis = static_cast<int>(node.integer("axis", 1));
  int64_t rows = 1;
  for (int i = 0; i < (axis < 0 ? axis + x.rank() : axis); ++i) rows *= x.size(i);
  return {reshape(x, {rows, rows ? x.numel() / rows : 0})};
}

Outputs squeeze_axes(const Node& node) {
  Tensor y = node.in(0);
  const std::optional<Integers> axes = node.integers_or_input("axes", 1);
  std::vector<int> order;
  for (int i = 0; i < y.rank(); ++i)
    if (!axes && y.size(i) == 1) order.push_back(i);
  for (int64_t axis : axes.value_or(Integers{})) order.push_back(wrap_axis("Squeeze", static_cast<int>(axis), y.rank()));
  std::sort(order.rbegin(), order.rend());
  for (int axis : order) y = squeeze(y, axis);
  return {y};
}

Outputs unsqueeze_axes(const Node& node) {
  Tensor y = node.in(0);
  const Integers axes = node.integers_or_input("axes", 1).value_or(Integers{});
  std::vector<int> order;
  for (int64_t axis : axes) order.push_back(wrap_axis("Unsqueeze", static_cast<int>(axis), y.rank() + static_cast<int>(axes.size())));
  std::sort(order.begin(), order.end());
  for (int axis : order) y = unsqueeze(y, axis);
  return {y};
}

Outputs transpose_axes(const Node& node) {
  const Tensor& x = node.in(0);
  std::vector<int> order(static_cast<size_t>(x.rank()));
  for (int i = 0; i < x.rank(); ++i) order[static_cast<size_t>(i)] = x.rank() - 1 - i;
  if (const auto given = node.integers("perm")) order = to_axes(*given);
  return {permute(x, order)};
}

Outputs concat(const Node& node) { return {cat(node.inputs, static_cast<int>(node.integer("axis", 1)))}; }

Outputs split_parts(const Node& node) {
  const Tensor& x = node.in(0);
  const int axis = axis_of(node, 0, x.rank());
  if (const auto sizes = node.integers_or_input("split", 1)) return split(x, *sizes, axis);
  const auto parts = static_cast<int64_t>(node.results.size());
  return split(x, (x.size(axis) + parts - 1) / parts, axis);
}

Outputs slice_axes(const Node& node) {
  Tensor y = node.in(0);
  const Integers starts = *node.integers_or_input("starts", 1), ends = *node.integers_or_input("ends", 2);
  const auto axes = node.integers_or_input("axes", 3), steps = node.integers_or_input("steps", 4);
  for (size_t i = 0; i < starts.size(); ++i)
    y = slice(y, axes ? static_cast<int>((*axes)[i]) : static_cast<int>(i), starts[i], ends[i], steps ? (*steps)[i] : 1);
  return {y};
}

Outputs expand_to(const Node& node) {
  const Shape shape = to_shape(node.in(1).to_vector<int64_t>());
  return {expand(node.in(0), broadcast_shapes("Expand", node.in(0).shape(), shape))};
}

Outputs tile_axes(const Node& node) {
  if (node.opset >= 6) return {tile(node.in(0), node.in(1).to_vector<int64_t>())};
  Integers counts(static_cast<size_t>(node.in(0).rank()), 1);
  counts[static_cast<size_t>(wrap_axis("Tile", node.in(2).item<int>(), node.in(0).rank()))] = node.in(1).item<int64_t>();
  return {tile(node.in(0), counts)};
}

Outputs pad_axes(const Node& node) {
  const Tensor& x = node.in(0);
  const Integers pads = *node.integers_or_input(node.opset < 2 ? "paddings" : "pads", 1);
  const size_t half = pads.size() / 2, rank = static_cast<size_t>(x.rank());
  const auto axes = node.integers_or_input("axes", 3);
  Integers widths(2 * rank);  // of the last axis first
  for (size_t i = 0; i < half; ++i) {
    const auto axis = axes ? static_cast<size_t>(wrap_axis("Pad", static_cast<int>((*axes)[i]), x.rank())) : i;
    widths[2 * (rank - 1 - axis)] = pads[i];
    widths[2 * (rank - 1 - axis) + 1] = pads[half + i];
  }
  const std::map<std::string, PadMode> modes{
      {"constant", PadMode::constant}, {"reflect", PadMode::reflect}, {"edge", PadMode::replicate}, {"wrap", PadMode::circular}};
  const auto mode = modes.find(node.word("mode", "constant"));
  supported(mode != modes.end(), "the mode ", node.word("mode", ""), " isn't known");
  return {pad(x, widths, {.mode = mode->second, .value = node.number_or_input("value", 2).value_or(0)})};
}

Outputs reverse_sequence(const Node& node) {
  const Tensor& x = node.in(0);
  const auto batch = static_cast<int>(node.integer("batch_axis", 1)), time = static_cast<int>(node.integer("time_axis", 0));
  const Integers lengths = node.in(1).to_vector<int64_t>();
  std::vector<Tensor> parts;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const Tensor one = narrow(x, batch, static_cast<int64_t>(i), 1);
    const std::vector<Tensor> halves = split(one, {lengths[i], x.size(time) - lengths[i]}, time);
    parts.push_back(cat({flip(halves[0], {time}), halves[1]}, time));
  }
  return {cat(parts, batch)};
}

Outputs shape_of(const Node& node) {
  const Shape& shape = node.in(0).shape();
  const Tensor sizes = tensor(std::span(shape.begin(), shape.end()));
  return {clone(slice(sizes, 0, node.integer("start", 0), node.integer("end", to_end)))};
}

Outputs triangle(const Node& node) {
  const int64_t k = node.has(1) ? node.in(1).item<int64_t>() : 0;
  return {node.flag("upper", true) ? triu(node.in(0), k) : tril(node.in(0), k)};
}

}  // namespace

void add_shapes(Table& table) {
  table.insert({
      {"Identity", identity},
      {"Reshape", reshape_to},
      {"Flatten", flatten_to_matrix},
      {"Squeeze", squeeze_axes},
      {"Unsqueeze", unsqueeze_axes},
      {"Transpose", transpose_axes},
      {"Concat", concat},
      {"Split", split_parts},
      {"Slice", slice_axes},
      {"Expand", expand_to},
      {"Tile", tile_axes},
      {"Pad", pad_axes},
      {"ReverseSequence", reverse_sequence},
      {"Shape", shape_of},
      {"Size", [](const Node& node) -> Outputs { return {tensor(node.in(0).numel())}; }},
      {"Trilu", triangle},
  });
}

}  // namespace scry::conformance
