#pragma once

#include <scry/nn/batch_norm.hpp>
#include <scry/nn/conv.hpp>
#include <scry/nn/sequential.hpp>

namespace scry::nn {

/// How a residual block carries its input past its convolutions where sizes differ (He et al. 2016, section 3.3).
enum class Shortcut : uint8_t {
  projection,  ///< B: a 1 x 1 convolution with batch normalisation
  padding,     ///< A: every stride-th pixel, new channels zero; no parameters
};

struct BlockOptions {
  int64_t stride = 1;
  Shortcut shortcut = Shortcut::projection;
  std::string shortcut_name = "downsample";  ///< what the projection's parameters are called
};

/// relu(f(x) + shortcut(x)) with two 3 x 3 convolutions in f: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2016,
/// figure 5, left. x: [N, in, H, W] -> [N, width, H / stride, W / stride].
struct BasicBlock : Module<BasicBlock> {
  static constexpr int64_t expansion = 1;
  BasicBlock(int64_t in, int64_t width, const BlockOptions& options = {});
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  BlockOptions options;
  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  Sequential downsample;  ///< empty where the sizes agree, and for the padding shortcut
};

/// The same with 1 x 1, 3 x 3 and 1 x 1 convolutions, the last one four times as wide (figure 5, right). As in torchvision the stride is that of
/// the 3 x 3 one. x: [N, in, H, W] -> [N, 4 width, H / stride, W / stride].
struct Bottleneck : Module<Bottleneck> {
  static constexpr int64_t expansion = 4;
  Bottleneck(int64_t in, int64_t width, const BlockOptions& options = {});
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  Conv2d conv3;
  BatchNorm2d bn3;
  Sequential downsample;  ///< empty where the sizes agree
};

/// `count` blocks one after the other, the first one with the stride.
template <class Block>
Sequential residual_stage(int64_t in, int64_t width, int64_t count, BlockOptions options) {
  Sequential blocks;
  for (int64_t i = 0; i < count; ++i) {
    blocks.push_back(Block{in, width, options});
    in = width * Block::expansion;
    options.stride = 1;
  }
  return blocks;
}

}  // namespace scry::nn
