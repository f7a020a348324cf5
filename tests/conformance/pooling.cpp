#include "conformance/window.hpp"

namespace scry::conformance {
namespace {

// Pooling of three dimensions as one of two, [N, C D, H, W], and one of the first, [N C, 1, D, H W]: what is largest, or the mean of means of as
// many elements each, doesn't depend on the order. pool(images, the axis that comes first, how many axes it has).
template <class F>
Tensor pooled(const Tensor& x, const Windows& w, const F& pool) {
  supported(w.axes() <= 3, "pooling of ", w.axes(), " dimensions");
  if (w.axes() < 3) return pool(x, w.pair(w.kernel), w.pair(w.stride), w.padding(), w.pair(w.dilation));
  const int64_t n = x.size(0), c = x.size(1), d = x.size(2);
  const Tensor y = pool(reshape(x, {n, c * d, x.size(3), x.size(4)}), w.pair(w.kernel, 1), w.pair(w.stride, 1), w.padding(1), w.pair(w.dilation, 1));
  const Tensor z = pool(reshape(y, {n * c, 1, d, y.size(2) * y.size(3)}), Pair{w.kernel[0], 1}, Pair{w.stride[0], 1},
                        Padding{Pair{w.before[0], 0}, Pair{w.after[0], 0}}, Pair{w.dilation[0], 1});
  return reshape(z, {n, c, z.size(2), y.size(2), y.size(3)});
}

// Places in a channel as places in the whole tensor, row-major or (`columns`) with the channels' columns one after the other.
Tensor places_in_tensor(const Tensor& indices, const Tensor& x, bool columns) {
  const int64_t width = x.size(-1), height = x.rank() == 4 ? x.size(2) : 1;
  Tensor at = indices;
  if (columns) at = remainder(at, tensor(width)) * static_cast<double>(height) + cast(floor(cast(at, f64) / static_cast<double>(width)), i64);
  Shape channels{x.size(0), x.size(1), 1};
  if (x.rank() == 4) channels.push_back(1);
  return at + reshape(arange(x.size(0) * x.size(1)) * static_cast<double>(width * height), channels);
}

Outputs max_pool(const Node& node) {
  const Tensor& given = node.in(0);
  const Tensor x = is_floating(given.dtype()) ? given : cast(given, f32);  // bytes, which f32 holds
  const Windows w(node, x, *node.integers("kernel_shape"));
  const bool ceil = node.flag("ceil_mode");
  if (!node.wants(1)) {
    const Tensor y = pooled(x, w, [&](const Tensor& image, Pair kernel, Pair stride, const Padding& padding, Pair dilation) {
      const MaxPoolOptions options{.stride = stride, .padding = padding, .dilation = dilation, .ceil_mode = ceil};
      return image.rank() == 3 ? max_pool1d(image, kernel.width, options) : max_pool2d(image, kernel, options);
    });
    return {cast(y, given.dtype())};
  }
  supported(w.axes() <= 2, "places in pooling of ", w.axes(), " dimensions");
  const MaxPoolOptions options{.stride = w.pair(w.stride), .padding = w.padding(), .dilation = w.pair(w.dilation), .ceil_mode = ceil};
  const MaxPooled y = w.axes() == 1 ? max_pool1d_with_indices(x, w.kernel[0], options) : max_pool2d_with_indices(x, w.pair(w.kernel), options);
  return {cast(y.values, given.dtype()), places_in_tensor(y.indices, x, node.flag("storage_order"))};
}

Tensor average(const Tensor& x, const Windows& w, bool ceil, bool count_padding, std::optional<int64_t> divisor) {
  for (int64_t distance : w.dilation) supported(distance == 1, "means of elements that lie apart");
  return pooled(x, w, [&](const Tensor& image, Pair kernel, Pair stride, const Padding& padding, Pair) {
    const AvgPoolOptions options{
        .stride = stride, .padding = padding, .ceil_mode = ceil, .count_include_pad = count_padding, .divisor_override = divisor};
    return image.rank() == 3 ? avg_pool1d(image, kernel.width, options) : avg_pool2d(image, kernel, options);
  });
}

Outputs average_pool(const Node& node) {
  const Windows w(node, node.in(0), *node.integers("kernel_shape"));
  return {average(node.in(0), w, node.flag("ceil_mode"), node.flag("count_include_pad"), std::nullopt)};
}

Outputs lp_pool(const Node& node) {
  const double p = node.number("p", 2.0);
  const Windows w(node, node.in(0), *node.integers("kernel_shape"));
  return {pow(average(pow(abs(node.in(0)), p), w, node.flag("ceil_mode"), true, 1), 1 / p)};
}

// The places are those of the result that the kernel's size implies; a larger one that is asked for has zeros after it.
Outputs max_unpool(const Node& node) {
  const Tensor& x = node.in(0);
  const Windows w(node, x, *node.integers("kernel_shape"));
  supported(w.axes() == 2, "places in pooling of ", w.axes(), " dimensions");
  const auto size = [&](size_t i) { return (x.size(static_cast<int>(i) + 2) - 1) * w.stride[i] + w.kernel[i] - w.before[i] - w.after[i]; };
  const int64_t height = size(0), width = size(1);
  const Tensor y = max_unpool2d(x, remainder(node.in(1), tensor(height * width)), {height, width});
  if (!node.has(2)) return {y};
  const Integers wanted = node.in(2).to_vector<int64_t>();
  return {pad(y, {0, wanted[3] - width, 0, wanted[2] - height})};
}

// ONNX has the greater half of an even number of neighbours after a channel, scry before it.
Outputs local_response(const Node& node) {
  const bool even = node.integer("size", 1) % 2 == 0;
  const Tensor x = even ? flip(node.in(0), {1}) : node.in(0);
  const Tensor y = local_response_norm(x, node.integer("size", 1),
                                       {.alpha = node.number("alpha", 1e-4), .beta = node.number("beta", 0.75), .k = node.number("bias", 1.0)});
  return {even ? flip(y, {1}) : y};
}

template <Tensor (*reduce)(const Tensor&, const AxesArgument&, bool)>
Outputs global(const Node& node) {
  std::vector<int> places;
  for (int i = 2; i < node.in(0).rank(); ++i) places.push_back(i);
  return {reduce(node.in(0), AxesArgument(places), true)};
}

}  // namespace

void add_pooling(Table& table) {
  table.insert({
      {"MaxPool", max_pool},
      {"AveragePool", average_pool},
      {"LpPool", lp_pool},
      {"MaxUnpool", max_unpool},
      {"LRN", local_response},
      {"GlobalAveragePool", global<mean>},
      {"GlobalMaxPool", global<amax>},
      {"GlobalLpPool",
       [](const Node& node) -> Outputs {
         std::vector<int> places;
         for (int i = 2; i < node.in(0).rank(); ++i) places.push_back(i);
         return {norm(node.in(0), node.number("p", 2.0), AxesArgument(places), true)};
       }},
  });
}

}  // namespace scry::conformance
