#pragma once

#include <scry/autograd/node.hpp>
#include <functional>
#include <type_traits>
#include <vector>

namespace scry {
namespace autograd {

using GradientHook = std::function<Tensor(const Tensor& gradient)>;

/// What programs hang on a node.
struct Attachments {
  struct NumberedHook {
    uint64_t number;
    GradientHook hook;
  };
  std::vector<NumberedHook> hooks;
  bool retain = false;  // keep the gradient of a computed tensor
  Tensor gradient;

  /// The gradient after every hook, in the order of their registration.
  Tensor after_hooks(const Node& node, Tensor gradient) const;
};

}  // namespace autograd

/// What `register_hook` returns. Letting go of it leaves the hook where it is.
class TensorHook {
 public:
  TensorHook(Ref<autograd::Node> node, uint64_t number) : node_(std::move(node)), number_(number) {}
  /// Takes the hook off its tensor; does nothing the second time.
  void remove();

 private:
  Ref<autograd::Node> node_;
  uint64_t number_;
};

TensorHook register_gradient_hook(const Tensor& x, autograd::GradientHook hook);

/// Calls `hook(gradient)` whenever the whole gradient of `x` is known: once in each backward() or grad() that reaches it, and before it is
/// passed on, kept, or returned. A tensor that the hook returns, of the same shape and type, takes the gradient's place; it may return
/// nothing. `x` must require a gradient. A hook that holds `x` itself keeps it alive until it is removed.
template <class Hook>
TensorHook register_hook(const Tensor& x, Hook hook) {
  if constexpr (std::is_void_v<std::invoke_result_t<Hook, const Tensor&>>)
    return register_gradient_hook(x, [call = std::move(hook)](const Tensor& gradient) { return call(gradient), Tensor{}; });
  else
    return register_gradient_hook(x, std::move(hook));
}

}  // namespace scry
