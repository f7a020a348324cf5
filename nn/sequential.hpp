#pragma once

#include <scry/nn/module.hpp>

namespace scry::nn {

/// Modules and plain functions of one tensor, one after the other: `nn::Sequential{nn::Linear{784, 128}, relu, nn::Linear{128, 10}}`.
/// Parts are named "0", "1", … by position, functions counted, as in PyTorch.
class Sequential : public Module<Sequential> {
 public:
  template <class... Parts>
    requires(sizeof...(Parts) > 0 && (!std::is_same_v<std::remove_cvref_t<Parts>, Sequential> || ...))
  explicit Sequential(Parts&&... parts) { (push_back(std::forward<Parts>(parts)), ...); }
  Sequential() = default;

  /// Adds a part at the end.
  template <class Part>
  void push_back(const Part& part) const {
    if constexpr (std::is_base_of_v<ModuleBase, Part>)
      steps_->push_back([child = add(std::to_string(size()), part)](Tensor x) { return child(std::move(x)); });
    else
      steps_->push_back(part);
  }
  size_t size() const { return steps_->size(); }

  Tensor forward(const Tensor& x) const {
    Tensor h = x;
    for (const auto& step : *steps_) h = step(std::move(h));
    return h;
  }
  std::string describe() const { return text("nn.Sequential of ", size()); }

 private:
  using Step = std::function<Tensor(Tensor)>;
  std::shared_ptr<std::vector<Step>> steps_ = std::make_shared<std::vector<Step>>();
};

}  // namespace scry::nn
