#pragma once

#include <scry/core/tensor.hpp>
#include <functional>
#include <vector>

namespace scry {
namespace autograd {

/// Whether a checkpointed function is being computed again in this thread: what it changes beside its result, it has changed already.
bool recomputing();

Tensor checkpoint_one(std::function<Tensor()> function, std::span<const Tensor> inputs);
std::vector<Tensor> checkpoint_many(const std::function<std::vector<Tensor>()>& function, std::span<const Tensor> inputs);

}  // namespace autograd

/// function(inputs…), without keeping what it computes on the way: backward computes it again (Chen et al. 2016, arXiv:1604.06174), with the
/// same numbers from this thread's default generator, so that values and gradients are the same to the bit. The function takes tensors, returns
/// one tensor or a std::vector of them, all of one type, and may use others that require a gradient, such as a module's parameters; it is copied, and
/// must do the same each time.
template <class Function, class... Tensors>
auto checkpoint(const Function& function, const Tensors&... inputs) {
  const Tensor all[] = {inputs...};
  const auto again = [function, inputs...] { return function(inputs...); };
  if constexpr (std::is_same_v<std::invoke_result_t<const Function&, const Tensors&...>, Tensor>)
    return autograd::checkpoint_one(again, all);
  else
    return autograd::checkpoint_many(again, all);
}

}  // namespace scry
