#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// A linear map along one axis: place o of the result is the sum of share * x[source] over the terms of row o. Rows are filled in order.
class Resampling {
 public:
  Resampling(int64_t in, int64_t out, int64_t most_terms);
  void add(int64_t source, double share);  // to the row that is being filled
  void end_row();
  /// The map of gradients.
  Resampling transposed() const;

  int64_t in, out;
  Tensor first;   // [out + 1]: where a row's terms begin
  Tensor source;  // of each term, i64
  Tensor share;   // f64

 private:
  int64_t rows_ = 0;
};

/// x: [N, C, spatial…], f32 or f64, any strides, with `axis` of map.in places mapped. Sums of more than a few terms are made in double. The result
/// lies row-major or channels-last.
Tensor resample(const Tensor& x, int axis, const Resampling& map);

}  // namespace scry::kernels
