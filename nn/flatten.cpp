#include <scry/nn/flatten.hpp>

namespace scry::nn {

Tensor Unflatten::forward(const Tensor& x) const {
  const int at = wrap_axis("unflatten", axis, x.rank());
  Shape fixed = sizes;
  int open = 0;
  for (int i = 0; i < sizes.rank(); ++i) {
    if (sizes[i] != -1) continue;
    fixed[i] = 1;
    ++open;
  }
  const int64_t known = element_count(fixed);
  const int64_t length = x.size(at);
  const bool fits = open == 0 ? known == length : open == 1 && known > 0 && length % known == 0;
  require(fits && sizes.rank() > 0 && x.rank() + sizes.rank() - 1 <= Shape::max_rank, "unflatten: axis ", at, " of shape ", x.shape(),
          " can't become ", sizes);
  Shape shape = x.shape();
  shape.erase(at);
  for (int i = 0; i < sizes.rank(); ++i) shape.insert(at + i, sizes[i] == -1 ? length / known : sizes[i]);
  return reshape(x, shape);
}

}  // namespace scry::nn
