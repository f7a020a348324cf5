#pragma once

#include <scry/autograd/tape.hpp>
#include <functional>
#include <vector>

namespace scry {

namespace autograd {
class FunctionCall;
}

/// What a function of one's own hands from its forward to its backward.
class FunctionContext {
 public:
  /// Keeps tensors for backward: inputs, outputs, or what was computed on the way.
  void save(std::initializer_list<Tensor> tensors);
  /// The i-th tensor that was saved. An Error where it has been changed in place since.
  Tensor saved(size_t i) const;
  /// In backward: whether anyone wants the gradient of input `i`.
  bool wanted(size_t i) const { return gradients_ && gradients_->wanted(i); }

 private:
  friend class autograd::FunctionCall;
  struct Kept {
    Tensor tensor;
    uint32_t version = 0;
    int output = -1;  // outputs are kept without their place on the tape, and only by number
  };
  std::vector<Kept> kept_;
  // While backward runs:
  const autograd::Gradients* gradients_ = nullptr;
  std::vector<Tensor> outputs_;
};

namespace autograd {

/// A function of one's own without its type.
struct ErasedFunction {
  const char* name;
  std::function<std::vector<Tensor>(FunctionContext&, std::span<const Tensor> inputs)> forward;
  std::function<std::vector<Tensor>(FunctionContext&, std::span<const Tensor> gradients)> backward;
};
std::vector<Tensor> apply_erased(ErasedFunction function, std::span<const Tensor> inputs);

inline std::vector<Tensor> as_vector(Tensor x) { return {std::move(x)}; }
inline std::vector<Tensor> as_vector(std::vector<Tensor> x) { return x; }

}  // namespace autograd

/// A differentiable function of one's own, applied to tensors:
///
///     struct Scale {
///       static constexpr const char* name = "scale";
///       double factor;                                                                                    // what isn't a tensor is a member
///       Tensor forward(FunctionContext& context, const Tensor& x) const { return x * factor; }            // context.save({x}) keeps tensors
///       Tensor backward(FunctionContext& context, const Tensor& gradient) const { return gradient * factor; }
///     };
///     const Tensor y = apply(Scale{2}, x);
///
/// forward takes one tensor for each input, which may be undefined, and returns a Tensor or a std::vector of them (f32 or f64, all of one type);
/// it isn't recorded. backward takes a gradient for each output (zeros where none arrives) and returns one for each input, as a Tensor or a
/// vector; an undefined one stands for zeros. Written in differentiable ops, it has a derivative of its own.
template <class Function, class... Tensors>
auto apply(const Function& function, const Tensors&... inputs) {
  using Result = std::invoke_result_t<decltype(&Function::forward), const Function&, FunctionContext&, const Tensors&...>;
  const Tensor all[] = {inputs...};
  const auto forward = [function](FunctionContext& context, std::span<const Tensor> x) {
    return [&]<size_t... i>(std::index_sequence<i...>) { return autograd::as_vector(function.forward(context, x[i]...)); }
    (std::index_sequence_for<Tensors...>{});
  };
  const auto backward = [function](FunctionContext& context, std::span<const Tensor> g) {
    if constexpr (std::is_same_v<Result, Tensor>)
      return autograd::as_vector(function.backward(context, g[0]));
    else
      return autograd::as_vector(function.backward(context, g));
  };
  std::vector<Tensor> outputs = autograd::apply_erased({Function::name, forward, backward}, all);
  if constexpr (std::is_same_v<Result, Tensor>)
    return std::move(outputs.front());
  else
    return outputs;
}

}  // namespace scry
