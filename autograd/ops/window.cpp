#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/window.hpp>
#include <algorithm>

namespace scry::autograd {

kernels::Window2d window_of(std::string_view op, int dimensions, Pair kernel, Pair stride, const Padding& padding, Pair dilation) {
  kernels::Window2d window{.kernel = {kernel.height, kernel.width},
                           .stride = {stride.height, stride.width},
                           .padding_before = {padding.before.height, padding.before.width},
                           .padding_after = {padding.after.height, padding.after.width},
                           .dilation = {dilation.height, dilation.width}};
  if (dimensions == 1) {
    for (auto* numbers : {&window.kernel, &window.stride, &window.dilation}) (*numbers)[0] = 1;
    for (auto* numbers : {&window.padding_before, &window.padding_after}) (*numbers)[0] = 0;
  }
  for (size_t i = 0; i < 2; ++i) {
    constexpr int64_t limit = int64_t{1} << 31;
    const auto [least, most] = std::minmax({window.kernel[i], window.stride[i], window.dilation[i]});
    require(least >= 1 && most < limit, op, ": kernel ", window.kernel[i], ", stride ", window.stride[i], " and dilation ", window.dilation[i],
            " must be at least 1 and below 2^31");
    if (padding.automatic) {
      require(window.stride[i] == 1, op, ": the padding that keeps the size is for strides of 1, got ", window.stride[i]);
      const int64_t all = window.dilation[i] * (window.kernel[i] - 1);
      window.padding_before[i] = all / 2;
      window.padding_after[i] = all - all / 2;
    }
    const int64_t before = window.padding_before[i], after = window.padding_after[i];
    require(std::min(before, after) >= 0 && std::max(before, after) < limit, op, ": padding ", before, " and ", after,
            " must be at least 0 and below 2^31");
  }
  return window;
}

Tensor image_of(const Tensor& x) { return x.rank() == 3 ? unsqueeze(x, 2) : x; }
Tensor with_rank(const Tensor& image, int rank) { return rank == 3 ? squeeze(image, 2) : image; }

}  // namespace scry::autograd
