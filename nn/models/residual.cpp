#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/pad.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/nn/models/residual.hpp>

namespace scry::nn {
namespace {

Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1) {
  return Conv2d{in, out, {.kernel = kernel, .stride = stride, .padding = kernel / 2, .bias = false}};
}

Sequential projection(int64_t in, int64_t out, int64_t stride) { return Sequential{conv(in, out, 1, stride), BatchNorm2d{out}}; }

bool sizes_differ(int64_t in, int64_t out, int64_t stride) { return stride != 1 || in != out; }

}  // namespace

BasicBlock::BasicBlock(int64_t in, int64_t width, const BlockOptions& given)
    : options(given),
      conv1(add("conv1", conv(in, width, 3, options.stride))),
      bn1(add("bn1", BatchNorm2d{width})),
      conv2(add("conv2", conv(width, width, 3))),
      bn2(add("bn2", BatchNorm2d{width})),
      downsample(options.shortcut == Shortcut::projection && sizes_differ(in, width, options.stride)
                     ? add(options.shortcut_name, projection(in, width, options.stride))
                     : Sequential{}) {
  require(options.shortcut == Shortcut::projection || in <= width, "nn.BasicBlock: the padding shortcut can't lead from ", in, " channels to fewer, ",
          width);
}

Tensor BasicBlock::forward(const Tensor& x) const {
  Tensor y = conv2(relu(bn1(conv1(x))));
  y = bn2(std::move(y));  // in a statement of its own: what lies before the convolution is gone by now
  if (options.shortcut == Shortcut::projection) return relu(std::move(y) + downsample(x));
  const Tensor kept = options.stride == 1 ? x : x.at({ellipsis, Slice{.step = options.stride}, Slice{.step = options.stride}});
  const int64_t added = y.size(1) - x.size(1);
  return relu(std::move(y) + (added == 0 ? kept : pad(kept, {0, 0, 0, 0, 0, added})));
}

std::string BasicBlock::describe() const { return text("nn.BasicBlock ", conv1.weight.size(1), " -> ", conv1.weight.size(0)); }

Bottleneck::Bottleneck(int64_t in, int64_t width, const BlockOptions& options)
    : conv1(add("conv1", conv(in, width, 1))),
      bn1(add("bn1", BatchNorm2d{width})),
      conv2(add("conv2", conv(width, width, 3, options.stride))),
      bn2(add("bn2", BatchNorm2d{width})),
      conv3(add("conv3", conv(width, width * expansion, 1))),
      bn3(add("bn3", BatchNorm2d{width * expansion})),
      downsample(sizes_differ(in, width * expansion, options.stride) ? add(options.shortcut_name, projection(in, width * expansion, options.stride))
                                                                     : Sequential{}) {
  require(options.shortcut == Shortcut::projection, "nn.Bottleneck: has the projection shortcut only");
}

Tensor Bottleneck::forward(const Tensor& x) const {
  Tensor y = conv2(relu(bn1(conv1(x))));
  y = conv3(relu(bn2(std::move(y))));
  return relu(bn3(std::move(y)) + downsample(x));
}

std::string Bottleneck::describe() const { return text("nn.Bottleneck ", conv1.weight.size(1), " -> ", conv3.weight.size(0)); }

}  // namespace scry::nn
