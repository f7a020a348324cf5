#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/pack.hpp>

namespace scry::autograd {

Tensor pack(const char* op, std::span<const Tensor> parts) {
  require(!parts.empty(), op, ": the function returned no tensor");
  std::vector<Tensor> flat;
  for (const Tensor& part : parts) {
    require_floating(op, part);
    require_same_dtype(op, parts.front(), part);
    flat.push_back(reshape(part, {-1}));
  }
  return cat(flat);
}

std::vector<Tensor> unpack(const Tensor& packed, std::span<const Shape> shapes) {
  std::vector<Tensor> parts;
  int64_t from = 0;
  for (const Shape& shape : shapes) {
    const int64_t count = element_count(shape);
    parts.push_back(reshape(narrow(packed, 0, from, count), shape));
    from += count;
  }
  return parts;
}

std::vector<Shape> shapes_of(std::span<const Tensor> parts) {
  std::vector<Shape> shapes;
  for (const Tensor& part : parts) shapes.push_back(part.shape());
  return shapes;
}

}  // namespace scry::autograd
