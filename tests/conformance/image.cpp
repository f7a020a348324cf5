#include "conformance/window.hpp"

// Convolutions, of one, two and three dimensions, and other sizes.
namespace scry::conformance {

Windows::Windows(const Node& node, const Tensor& x, const Integers& of_kernel, bool transposed) : kernel(of_kernel) {
  const size_t count = kernel.size();
  const auto listed = [&](const char* name, int64_t otherwise) { return node.integers(name).value_or(Integers(count, otherwise)); };
  stride = listed("strides", 1);
  dilation = listed("dilations", 1);
  const Integers pads = node.integers("pads").value_or(Integers(2 * count, 0));
  require(stride.size() == count && dilation.size() == count && pads.size() == 2 * count && x.rank() == static_cast<int>(count) + 2, node.type,
          ": a kernel of ", count, " axes, and strides, pads or an input for others: shape ", x.shape());
  before.assign(pads.begin(), pads.begin() + static_cast<int64_t>(count));
  after.assign(pads.begin() + static_cast<int64_t>(count), pads.end());

  const std::string automatic = node.word("auto_pad", "NOTSET");
  if (automatic == "NOTSET") return;
  for (size_t i = 0; i < count; ++i) {
    const int64_t size = x.size(static_cast<int>(i) + 2), out = (size + stride[i] - 1) / stride[i];
    int64_t all = transposed ? extent(i) - stride[i] : std::max<int64_t>((out - 1) * stride[i] + extent(i) - size, 0);
    if (automatic == "VALID") all = 0;
    before[i] = automatic == "SAME_LOWER" ? all - all / 2 : all / 2;
    after[i] = all - before[i];
  }
}

Pair Windows::pair(const Integers& numbers, size_t first) const {
  if (numbers.size() == 1) return {0, numbers[0]};
  return {numbers[first], numbers[first + 1]};
}

Tensor depth_to_batch(const Tensor& x) {
  const Tensor moved = movedim(x, 2, 1);
  return reshape(moved, {x.size(0) * x.size(2), x.size(1), x.size(3), x.size(4)});
}

Tensor batch_to_depth(const Tensor& x, int64_t depth) {
  return movedim(reshape(x, {x.size(0) / depth, depth, x.size(1), x.size(2), x.size(3)}), 1, 2);
}

namespace {

Integers kernel_of(const Tensor& weight) { return {weight.shape().begin() + 2, weight.shape().end()}; }

Tensor with_bias(const Tensor& y, const Tensor& bias) { return bias.defined() ? y + reshape(bias, {bias.numel(), 1, 1, 1}) : y; }

// The sum over the kernel's slices of convolutions of two dimensions.
Tensor conv3d(const Tensor& x, const Tensor& weight, const Windows& w, int64_t groups) {
  const Tensor padded = pad(x, {0, 0, 0, 0, w.before[0], w.after[0]});
  const int64_t depth = (padded.size(2) - w.extent(0)) / w.stride[0] + 1;
  Tensor y;
  for (int64_t k = 0; k < w.kernel[0]; ++k) {
    const int64_t first = k * w.dilation[0];
    const Tensor part = slice(padded, 2, first, first + (depth - 1) * w.stride[0] + 1, w.stride[0]);
    const Tensor one = conv2d(depth_to_batch(part), select(weight, 2, k), {},
                              {.stride = w.pair(w.stride, 1), .padding = w.padding(1), .dilation = w.pair(w.dilation, 1), .groups = groups});
    y = y.defined() ? y + one : one;
  }
  return batch_to_depth(y, depth);
}

Outputs conv(const Node& node) {
  const Tensor &x = node.in(0), &weight = node.in(1);
  const Windows w(node, x, kernel_of(weight));
  const int64_t groups = node.integer("group", 1);
  supported(w.axes() <= 3, "convolutions of ", w.axes(), " dimensions");
  if (w.axes() == 3) return {with_bias(conv3d(x, weight, w, groups), node.maybe(2))};
  if (w.axes() == 1)
    return {conv1d(x, weight, node.maybe(2), {.stride = w.stride[0], .padding = w.padding(), .dilation = w.dilation[0], .groups = groups})};
  return {conv2d(x, weight, node.maybe(2), {.stride = w.pair(w.stride), .padding = w.padding(), .dilation = w.pair(w.dilation), .groups = groups})};
}

// What the transposed convolutions of two dimensions give, added up where the kernel's slices put it.
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Windows& w, const ConvTranspose2dOptions& options, int64_t more) {
  const int64_t depth = x.size(2), all = (depth - 1) * w.stride[0] + w.extent(0) + more;
  Tensor y;
  for (int64_t k = 0; k < w.kernel[0]; ++k) {
    const Tensor part = batch_to_depth(conv_transpose2d(depth_to_batch(x), select(weight, 2, k), {}, options), depth);
    if (!y.defined()) y = zeros({part.size(0), part.size(1), all, part.size(3), part.size(4)}, x.dtype());
    y = index_add(y, arange(depth) * static_cast<double>(w.stride[0]) + static_cast<double>(k * w.dilation[0]), part, 2);
  }
  return narrow(y, 2, w.before[0], all - w.before[0] - w.after[0]);
}

Outputs conv_transpose(const Node& node) {
  const Tensor &x = node.in(0), &weight = node.in(1);
  Windows w(node, x, kernel_of(weight), true);
  Integers more = node.integers("output_padding").value_or(Integers(w.axes(), 0));
  const std::optional<Integers> sizes = node.integers("output_shape");
  for (size_t i = 0; i < w.axes(); ++i) {
    if (sizes) {  // says how much to cut off; half of it on each side
      const int64_t all = w.stride[i] * (x.size(static_cast<int>(i) + 2) - 1) + more[i] + w.extent(i) - (*sizes)[i];
      w.before[i] = node.word("auto_pad", "NOTSET") == "SAME_UPPER" ? all / 2 : all - all / 2;
      w.after[i] = all - w.before[i];
    }
    if (w.before[i] < 0) {  // what is missing stands at the end
      w.after[i] += w.before[i];
      w.before[i] = 0;
    }
    if (w.after[i] < 0) {
      more[i] -= w.after[i];
      w.after[i] = 0;
    }
  }
  const int64_t groups = node.integer("group", 1);
  supported(w.axes() <= 3, "convolutions of ", w.axes(), " dimensions");
  const size_t first = w.axes() == 3 ? 1 : 0;
  const ConvTranspose2dOptions options{.stride = w.pair(w.stride, first),
                                       .padding = w.padding(first),
                                       .output_padding = w.pair(more, first),
                                       .groups = groups,
                                       .dilation = w.pair(w.dilation, first)};
  if (w.axes() == 3) return {with_bias(conv_transpose3d(x, weight, w, options, more[0]), node.maybe(2))};
  return {w.axes() == 1 ? conv_transpose1d(x, weight, node.maybe(2), options) : conv_transpose2d(x, weight, node.maybe(2), options)};
}

// The forms of ONNX's that PyTorch's interpolation has too.
Interpolation interpolation_of(const Node& node, const std::string& mode, const std::string& places) {
  const std::string rounding = node.word("nearest_mode", "round_prefer_floor");
  if (mode == "nearest" && places == "asymmetric" && rounding == "floor") return Interpolation::nearest;
  if (mode == "nearest" && places == "half_pixel" && rounding == "round_prefer_ceil") return Interpolation::nearest_exact;
  const bool centers = places == "half_pixel" || places == "align_corners";
  supported(centers && !node.flag("exclude_outside") && !node.flag("antialias"), "the mode ", mode, " with ", places, " places");
  if (mode == "linear") return Interpolation::linear;
  supported(mode == "cubic" && node.number("cubic_coeff_a", -0.75) == -0.75, "the mode ", mode);
  return Interpolation::cubic;
}

Outputs resize(const Node& node) {
  const Tensor& x = node.in(0);
  supported(x.rank() == 4 && !node.attributes.contains("axes"), "sizes of some of the axes");
  const bool older = node.type == "Upsample" || node.opset < 11;  // places as in asymmetric, rounded down
  const size_t at = older ? 1 : 2;
  const std::string mode = node.word("mode", "nearest"), places = node.word("coordinate_transformation_mode", older ? "asymmetric" : "half_pixel");
  std::vector<double> scales = node.numbers("scales");
  if (node.has(at)) scales = node.in(at).to_vector<double>();
  Integers sizes;
  if (node.has(3)) sizes = node.in(3).to_vector<int64_t>();
  for (size_t i = 0; i < scales.size() && !node.has(3); ++i) {
    sizes.push_back(static_cast<int64_t>(static_cast<double>(x.size(static_cast<int>(i))) * scales[i]));
    supported(static_cast<double>(sizes[i]) == static_cast<double>(x.size(static_cast<int>(i))) * scales[i], "a size that isn't whole");
  }
  supported(sizes.size() == 4 && sizes[0] == x.size(0) && sizes[1] == x.size(1), "sizes of batches or channels");
  Node named = node;
  if (older) named.attributes["nearest_mode"] = std::string("floor");
  return {
      interpolate(x, {.size = Pair{sizes[2], sizes[3]}, .mode = interpolation_of(named, mode, places), .align_corners = places == "align_corners"})};
}

}  // namespace

void add_images(Table& table) {
  table.insert({
      {"Conv", conv},
      {"ConvTranspose", conv_transpose},
      {"Resize", resize},
      {"Upsample", resize},
      {"DepthToSpace",
       [](const Node& node) -> Outputs {
         const Tensor& x = node.in(0);
         const int64_t b = node.integer("blocksize", 1);
         // CRD is pixel_shuffle's order; in DCR the block's places come before the channels.
         const bool first = node.word("mode", "DCR") == "DCR";
         const Tensor blocks = first ? transpose(reshape(x, {x.size(0), b * b, -1, x.size(2), x.size(3)}), 1, 2) : x;
         return {pixel_shuffle(reshape(blocks, x.shape()), b)};
       }},
      {"SpaceToDepth",
       [](const Node& node) -> Outputs {
         const Tensor y = pixel_unshuffle(node.in(0), node.integer("blocksize", 1));
         if (node.word("mode", "DCR") == "CRD") return {y};
         return {reshape(transpose(reshape(y, {y.size(0), node.in(0).size(1), -1, y.size(2), y.size(3)}), 1, 2), y.shape())};
       }},
  });
}

}  // namespace scry::conformance
