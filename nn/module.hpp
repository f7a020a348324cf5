#pragma once

#include <scry/core/tensor.hpp>
#include <memory>
#include <typeinfo>

namespace scry::nn {

/// What all copies of a module share.
struct ModuleState {
  std::string name;                   // as the parent calls it
  std::weak_ptr<ModuleState> parent;  // empty for a whole model
  std::vector<NamedTensor> parameters, buffers;
  std::vector<std::shared_ptr<ModuleState>> children;
  bool training = true;
};

/// A handle on a network or a part of one; copies mean the same part. What doesn't depend on the kind of module.
class ModuleBase {
 public:
  ModuleBase() : state_(std::make_shared<ModuleState>()) {}
  ModuleBase(const ModuleBase&) = default;
  /// Copies are handles, so an assignment would only seem to change the network: see replace(), or load() for weights.
  ModuleBase& operator=(const ModuleBase&) = delete;

  /// All parameters, own ones first and then the children's, named like "conv1.weight".
  std::vector<NamedTensor> named_parameters() const;
  /// All tensors that belong to the network but aren't trained, such as running statistics.
  std::vector<NamedTensor> named_buffers() const;
  std::vector<Tensor> parameters() const;
  /// The number of values in all parameters.
  int64_t parameter_count() const;

  /// Training or evaluation, for this module and all below it: dropout and batch normalisation differ.
  void train(bool on = true) const;
  void eval() const { train(false); }
  bool training() const { return state_->training; }

  /// Names from the whole model down to this module, like "features.0"; empty for the model itself.
  std::string path() const;

 protected:
  /// Declares a tensor that is trained; returns it.
  Tensor parameter(std::string name, const Tensor& value) const;
  /// Declares a tensor that is saved with the network but not trained; returns it.
  Tensor buffer(std::string name, const Tensor& value) const;
  /// Declares a part; returns it. As a member's initialiser: `nn::Linear fc = add("fc", nn::Linear{8, 2});`
  template <class Child>
  Child add(std::string name, const Child& child) const {
    add_child(std::move(name), child);
    return child;
  }
  /// Puts another module of the same kind in the place of `child`, a member that was declared with add().
  template <class Child>
  void replace(Child& child, const Child& fresh) const {
    replace_child(child, fresh);
    std::destroy_at(&child);
    std::construct_at(&child, fresh);
  }

  /// "conv2 (nn.Conv2d 20 -> 50, kernel 5)": where an error happened.
  std::string where(const std::type_info& type, std::string description) const;

 private:
  void add_child(std::string name, const ModuleBase& child) const;
  void replace_child(const ModuleBase& child, const ModuleBase& fresh) const;

  std::shared_ptr<ModuleState> state_;
};

/// The base of every module: `struct LeNet : nn::Module<LeNet> { … Tensor forward(const Tensor& x) const { … } };`
/// Parameters and children are members, declared once with parameter(), buffer() and add(). forward() may take and return anything; calling
/// the module calls it, and puts the module's path in front of errors. A module may have `std::string describe() const` for them.
template <class Self>
class Module : public ModuleBase {
 public:
  template <class... Args>
  auto operator()(Args&&... args) const {
    const Self& self = static_cast<const Self&>(*this);
    try {
      return self.forward(std::forward<Args>(args)...);
    } catch (const Error& error) {
      if (error.located()) throw;
      std::string description;
      if constexpr (requires { self.describe(); }) description = self.describe();
      throw Error(where(typeid(Self), std::move(description)), error);
    }
  }
};

}  // namespace scry::nn
