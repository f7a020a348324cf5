#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// What stands beyond the ends of x (abcd with 2 more on each side): one value, the elements mirrored at the last one (cb abcd cb), the
/// last one again (aa abcd dd), or the elements from the other end (cd abcd ab).
enum class PadMode { constant, reflect, replicate, circular };

struct PadOptions {
  PadMode mode = PadMode::constant;
  double value = 0;  ///< of the constant
};

/// x with more elements before and after some of its last axes; `widths` is {before, after} of the last axis, then of the one before it, and
/// so on, as in torch.nn.functional.pad. A negative width cuts elements off. Any type. The gradient of elements that appear again is added up.
Tensor pad(const Tensor& x, std::span<const int64_t> widths, const PadOptions& options = {});
Tensor pad(const Tensor& x, std::initializer_list<int64_t> widths, const PadOptions& options = {});

}  // namespace scry
