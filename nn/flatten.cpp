#include <scry/nn/flatten.hpp>
#include <algorithm>

namespace scry::nn {

Tensor Unflatten::forward(const Tensor& x) const {
  const int at = wrap_axis("unflatten", axis, x.rank());
  int64_t known = 1, open = 0;
  for (const int64_t size : sizes) {
    if (size == -1)
      ++open;
    else
      known *= size;
  }
  const int64_t length = x.size(at);
  const bool fits = open == 0 ? known == length : open == 1 && known > 0 && length % known == 0;
  require(fits && sizes.rank() > 0 && x.rank() + sizes.rank() - 1 <= Shape::max_rank, "unflatten: axis ", at, " of shape ", x.shape(),
          " can't become ", sizes);
  Shape shape = Shape::filled(x.rank() + sizes.rank() - 1, 0);
  std::copy_n(x.shape().begin(), at, &shape[0]);
  for (int i = 0; i < sizes.rank(); ++i) shape[at + i] = sizes[i] == -1 ? length / known : sizes[i];
  std::copy(x.shape().begin() + at + 1, x.shape().end(), &shape[0] + at + sizes.rank());
  return reshape(x, shape);
}

}  // namespace scry::nn
