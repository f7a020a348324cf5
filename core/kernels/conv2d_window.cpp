#include <scry/core/kernels/conv2d_window.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

constexpr int64_t largest = int64_t{1} << 31;  // of every number of a window, so that their products stay in range

}  // namespace

int64_t window_count(std::string_view op, const Window2d& window, int axis, int64_t size, bool ceil_mode) {
  const auto i = static_cast<size_t>(axis);
  const int64_t kernel = window.kernel[i], stride = window.stride[i], before = window.padding_before[i], after = window.padding_after[i],
                dilation = window.dilation[i];
  const std::string_view name = axis == 0 ? "height" : "width";
  require(kernel >= 1 && stride >= 1 && dilation >= 1 && kernel < largest && stride < largest && dilation < largest, op, ": kernel ", kernel,
          ", stride ", stride, " and dilation ", dilation, " (", name, ") must be at least 1 and below 2^31");
  require(before >= 0 && after > -largest && std::max({before, after, size}) < largest, op, ": padding ", before, " and ", after, " of ", name, " ",
          size, ": the first must be at least 0, and all below 2^31");
  const int64_t reach = dilation * (kernel - 1) + 1, room = size + before + after;
  require(reach <= room, op, ": a kernel of ", name, " ", kernel, " (", reach, " with dilation ", dilation, ") is larger than the padded input, ",
          size, " + ", before, " + ", after, "; use a smaller kernel or more padding");
  int64_t count = (room - reach) / stride + 1;
  if (ceil_mode && (room - reach) % stride != 0 && count * stride < size + before) ++count;
  return count;
}

}  // namespace scry::kernels
