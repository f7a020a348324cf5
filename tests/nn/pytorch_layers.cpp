#include "nn/pytorch_cases.hpp"

namespace scry::nn::test {
namespace {

std::vector<Case> convolutions() {
  return {
      layer("linear", [] { return Linear(7, 5); }),
      layer("linear_without_bias", [] { return Linear(7, 5, {.bias = false}); }),
      layer("conv1d", [] { return Conv1d(4, 6, {.kernel = 3, .stride = 2, .padding = 2, .dilation = 2, .groups = 2}); }),
      layer("conv2d",
            [] {
              return Conv2d(4, 6, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}});
            }),
      layer("conv2d_groups", [] { return Conv2d(4, 6, {.kernel = 3, .padding = 1, .groups = 2, .bias = false}); }),
      layer("conv2d_depthwise", [] { return Conv2d(6, 6, {.kernel = 3, .stride = 2, .padding = 1, .groups = 6}); }),
      layer("conv2d_wide", [] { return Conv2d(32, 48, {.kernel = 3, .padding = 1}); }),
      layer("conv2d_pointwise", [] { return Conv2d(24, 40, {.kernel = 1, .bias = false}); }),
      layer("conv2d_same",
            [] {
              return Conv2d(3, 5, {.kernel = {4, 3}, .padding = Padding::same});
            }),
      layer("conv2d_reflect",
            [] {
              return Conv2d(3, 5, {.kernel = 3, .padding = {1, 2}, .padding_mode = PadMode::reflect});
            }),
      layer("conv2d_replicate", [] { return Conv2d(3, 5, {.kernel = 3, .padding = 2, .padding_mode = PadMode::replicate}); }),
      layer("conv2d_circular",
            [] {
              return Conv2d(3, 5, {.kernel = 3, .padding = {2, 1}, .padding_mode = PadMode::circular});
            }),
      layer("conv_transpose1d", [] { return ConvTranspose1d(4, 6, {.kernel = 3, .stride = 2, .padding = 1, .output_padding = 1}); }),
      layer("conv_transpose2d",
            [] {
              return ConvTranspose2d(4, 6,
                                     {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 0}, .groups = 2, .dilation = 2});
            }),
  };
}

std::vector<Case> norms() {
  return {
      layer("batch_norm1d", [] { return BatchNorm1d(5); }),
      layer("batch_norm1d_sequence", [] { return BatchNorm1d(5, {.affine = false}); }),
      layer("batch_norm2d", [] { return BatchNorm2d(5, {.eps = 1e-3, .momentum = 0.2}); }),
      layer("batch_norm2d_eval", [] { return BatchNorm2d(5); }),
      layer("batch_norm2d_untracked", [] { return BatchNorm2d(5, {.track_running_stats = false}); }),
      layer("batch_norm2d_mean_of_all", [] { return BatchNorm2d(5, {.momentum = std::nullopt}); }),
      layer("instance_norm1d", [] { return InstanceNorm1d(3, {.affine = true}); }),
      layer("instance_norm2d", [] { return InstanceNorm2d(3, {.affine = true, .track_running_stats = true}); }),
      layer("instance_norm2d_eval", [] { return InstanceNorm2d(3, {.track_running_stats = true}); }),
      layer("layer_norm", [] { return LayerNorm(6, {.eps = 1e-6}); }),
      layer("layer_norm_two_axes",
            [] {
              return LayerNorm({3, 4}, {.bias = false});
            }),
      layer("group_norm", [] { return GroupNorm(2, 6); }),
      layer("rms_norm", [] { return RMSNorm(6); }),
      layer("local_response_norm", [] { return LocalResponseNorm(3, {.alpha = 0.1}); }),
  };
}

std::vector<Case> pools() {
  return {
      layer("max_pool1d", [] { return MaxPool1d(3, {.stride = 2, .padding = 1}); }),
      layer("max_pool2d",
            [] {
              return MaxPool2d({3, 2}, {.stride = 2, .padding = {1, 0}, .ceil_mode = true});
            }),
      layer("max_pool2d_dilated",
            [] {
              return MaxPool2d(2, {.stride = 1, .dilation = {2, 3}});
            }),
      layer("avg_pool1d", [] { return AvgPool1d(3, {.stride = 2, .padding = 1, .count_include_pad = false}); }),
      layer("avg_pool2d",
            [] {
              return AvgPool2d({3, 2}, {.stride = 2, .padding = {1, 0}, .ceil_mode = true});
            }),
      layer("avg_pool2d_divisor", [] { return AvgPool2d(2, {.divisor_override = 3}); }),
      layer("lp_pool1d", [] { return LPPool1d(2, 3, {.stride = 2}); }),
      layer("lp_pool2d", [] { return LPPool2d(2, 2); }),
      layer("adaptive_avg_pool1d", [] { return AdaptiveAvgPool1d(3); }),
      layer("adaptive_avg_pool2d",
            [] {
              return AdaptiveAvgPool2d({3, 5});
            }),
      layer("adaptive_max_pool1d", [] { return AdaptiveMaxPool1d(3); }),
      layer("adaptive_max_pool2d",
            [] {
              return AdaptiveMaxPool2d({2, 3});
            }),
  };
}

std::vector<Case> others() {
  return {
      layer("dropout_eval", [] { return Dropout(0.3); }),
      layer("dropout2d_eval", [] { return Dropout2d(0.3); }),
      layer("alpha_dropout_eval", [] { return AlphaDropout(0.3); }),
      layer("prelu_module", [] { return PReLU(3); }),
      layer("rrelu_eval", [] { return RReLU(); }),
      layer("softmax2d", [] { return Softmax2d(); }),
      layer("softmin", [] { return Softmin(1); }),
      layer("identity", [] { return Identity(); }),
      layer("flatten", [] { return Flatten(1, 2); }),
      layer("unflatten",
            [] {
              return Unflatten(1, {2, 3});
            }),
      layer("unfold",
            [] {
              return Unfold({.kernel = {2, 3}, .stride = {2, 1}, .padding = 1});
            }),
      layer("fold",
            [] {
              return Fold({4, 5}, {.kernel = 2});
            }),
      layer("pixel_shuffle", [] { return PixelShuffle(2); }),
      layer("pixel_unshuffle", [] { return PixelUnshuffle(2); }),
      layer("upsample_nearest", [] { return Upsample({.scale_factor = 2}); }),
      layer("upsample_bilinear",
            [] {
              return Upsample({.size = Pair{7, 5}, .mode = Interpolation::linear});
            }),
      layer("upsample_bilinear_corners", [] { return Upsample({.scale_factor = 2, .mode = Interpolation::linear, .align_corners = true}); }),
      layer("upsample_bicubic", [] { return Upsample({.scale_factor = 2, .mode = Interpolation::cubic}); }),
      layer("upsample_linear1d", [] { return Upsample({.scale_factor = 3, .mode = Interpolation::linear}); }),
      layer("constant_pad1d",
            [] {
              return ConstantPad1d({{0, 1}, {0, 2}}, {.value = 0.5});
            }),
      layer("zero_pad2d",
            [] {
              return ZeroPad2d({{1, 2}, {3, 4}});
            }),
      layer("reflection_pad2d",
            [] {
              return ReflectionPad2d({{1, 2}, {3, 2}});
            }),
      layer("replication_pad2d",
            [] {
              return ReplicationPad2d({{1, 2}, {3, 2}});
            }),
      layer("circular_pad2d",
            [] {
              return CircularPad2d({{1, 2}, {3, 2}});
            }),
  };
}

}  // namespace

std::vector<Case> layer_cases() {
  std::vector<Case> all;
  for (const std::vector<Case>& part : {convolutions(), norms(), pools(), others()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace scry::nn::test
