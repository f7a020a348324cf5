#include <scry/core/state.hpp>

namespace scry {

const Tensor& state_tensor(std::string_view owner, const std::vector<NamedTensor>& state, std::string_view name, const Shape& shape, DType dtype) {
  for (const auto& [known, tensor] : state) {
    if (known != name) continue;
    require(tensor.shape() == shape && tensor.dtype() == dtype, owner, ": '", name, "' is ", tensor.dtype(), " of shape ", tensor.shape(),
            " in the saved state; expected ", dtype, " of shape ", shape);
    return tensor;
  }
  fail(owner, ": the saved state has no '", name, "'");
}

double state_number(std::string_view owner, const std::vector<NamedTensor>& state, std::string_view name) {
  return state_tensor(owner, state, name, {}, f64).item();
}

int64_t state_integer(std::string_view owner, const std::vector<NamedTensor>& state, std::string_view name) {
  return state_tensor(owner, state, name, {}, i64).item<int64_t>();
}

}  // namespace scry
