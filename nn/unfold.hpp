#pragma once

#include <scry/autograd/ops/unfold.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

/// The windows of [N, C, H, W] as columns [N, C KH KW, L], see scry::unfold.
struct Unfold : Module<Unfold> {
  explicit Unfold(const UnfoldOptions& given) : options(given) {}
  Tensor forward(const Tensor& x) const { return unfold(x, options); }
  std::string describe() const { return text("nn.Unfold ", options.kernel); }

  UnfoldOptions options;
};

/// Columns added up to images of `size`, see scry::fold.
struct Fold : Module<Fold> {
  Fold(Pair output_size, const UnfoldOptions& given) : size(output_size), options(given) {}
  Tensor forward(const Tensor& x) const { return fold(x, size, options); }
  std::string describe() const { return text("nn.Fold ", options.kernel, " to ", size); }

  Pair size;
  UnfoldOptions options;
};

}  // namespace scry::nn
