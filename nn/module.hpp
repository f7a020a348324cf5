#pragma once

#include <scry/autograd/observer.hpp>
#include <scry/core/tensor.hpp>
#include <functional>
#include <memory>
#include <tuple>
#include <typeinfo>

namespace scry::nn {

struct ModuleState;
class ModuleBase;

/// What a hook sees of one call of a module.
struct ModuleCall {
  const ModuleBase& module;
  std::span<Tensor> inputs;   ///< the arguments that are tensors; a hook before the call may put others in their places …
  std::span<Tensor> outputs;  ///< … and one after it in the places of the results (a tensor, or the tensors of a pair or tuple)
};
using ModuleHook = std::function<void(const ModuleCall&)>;

/// Takes a hook away again; it stays where remove() isn't called.
class HookHandle {
 public:
  HookHandle(std::weak_ptr<ModuleState> module, int64_t id) : module_(std::move(module)), id_(id) {}
  void remove() const;

 private:
  std::weak_ptr<ModuleState> module_;
  int64_t id_;
};

/// What is the same for all modules of one type.
struct ModuleKind {
  const std::type_info& type;
  std::string (*describe)(const ModuleBase& module);              // empty where the type says nothing of itself
  void (*reseat)(ModuleBase& handle, const ModuleBase& another);  // makes one handle a handle on another module
};

/// A handle on a network or a part of one; copies mean the same part. What doesn't depend on the kind of module.
class ModuleBase {
 public:
  ModuleBase(const ModuleBase&) = default;
  /// Copies are handles, so an assignment would only seem to change the network: see replace(), or load() for weights.
  ModuleBase& operator=(const ModuleBase&) = delete;

  /// All parameters, own ones first and then the children's, named like "conv1.weight".
  std::vector<NamedTensor> named_parameters() const;
  /// All tensors that belong to the network but aren't trained, such as running statistics.
  std::vector<NamedTensor> named_buffers() const;
  std::vector<Tensor> parameters() const;
  /// The number of values in all parameters; shared ones count once.
  int64_t parameter_count() const;

  /// Training or evaluation, for this module and all below it: dropout and batch normalisation differ.
  void train(bool on = true) const;
  void eval() const { train(false); }
  bool training() const;

  /// Takes the parameters whose names match out of training, or puts them back: "features.*", "*.bias" (`*` stands for any characters, `?` for
  /// one). Returns their number; none is an Error that lists the names.
  int64_t freeze(const std::string& pattern = "*") const;
  int64_t unfreeze(const std::string& pattern = "*") const;

  /// Converts all parameters and floating buffers, in place, to f32 or f64, and forgets gradients. An Error, with nothing changed, where a
  /// registry holds one of them.
  void to(DType dtype) const;
  /// Copies the values of another network with the same names and shapes; else an Error lists those that differ, and nothing is changed.
  void load(const ModuleBase& source) const;

  /// Names from the whole model down to this module, like "features.0"; empty for the model itself.
  std::string path() const;
  /// As errors call it: "nn.Conv2d 20 -> 50, kernel 5", or the name of its type.
  std::string description() const;
  const std::type_info& type() const;
  /// The parts that were declared with add(), in order.
  std::vector<ModuleBase> children() const;
  /// Calls visit(module) for this module and all below it, a module before its parts.
  void apply(const std::function<void(const ModuleBase&)>& visit) const;
  /// The same for those of one type, with their members: `model.apply<nn::Linear>([](const nn::Linear& layer) { … })`.
  template <class Kind, class Visit>
  void apply(const Visit& visit) const {
    apply([&](const ModuleBase& module) {
      if (module.type() == typeid(Kind)) visit(static_cast<const Kind&>(module.member()));
    });
  }

  /// Puts a new module of the same type in the place of a part at any depth, `model.replace(model.fc2, nn::Linear{500, 20})`: all handles on the
  /// old part, wherever they are, become handles on the new one, so none may be declared const.
  template <class Child>
  void replace(const Child& child, const Child& fresh) {
    replace_part(child, fresh);
  }
  /// The same by the name of the part, as seen from this module: "features.0".
  void replace(std::string_view name, const ModuleBase& fresh);
  /// The part of that name.
  ModuleBase part(std::string_view name) const;

  /// Calls `hook` before, or after, every call of this module.
  HookHandle register_forward_pre_hook(ModuleHook hook) const;
  HookHandle register_forward_hook(ModuleHook hook) const;

 protected:
  explicit ModuleBase(const ModuleKind& kind);
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

  // Keeps the list of the module's complete objects, of its own type.
  void enter();
  void leave() noexcept;

  bool hooked() const;
  void run_hooks(bool before, std::span<Tensor> inputs, std::span<Tensor> outputs) const;
  /// Where ops are called from while it lives, for profiles and anomalies.
  autograd::Place place() const {
    return {this, [](const void* module) { return static_cast<const ModuleBase*>(module)->path(); }};
  }
  /// "conv2 (nn.Conv2d 20 -> 50, kernel 5)": where an error happened.
  std::string where() const;
  /// Throws the error that is being handled on, with where() in front unless it has a place already.
  [[noreturn]] void rethrow_from_here(const Error& error) const;

 private:
  explicit ModuleBase(std::shared_ptr<ModuleState> state) : state_(std::move(state)) {}
  void add_child(std::string name, const ModuleBase& child) const;
  void replace_part(const ModuleBase& old, const ModuleBase& fresh);
  const ModuleBase& member() const;

  std::shared_ptr<ModuleState> state_;
};

template <class T>
inline constexpr bool is_tensor = std::is_same_v<std::remove_const_t<T>, Tensor>;

/// Calls visit(tensor) for a tensor, or for those in a pair or tuple.
template <class Value, class Visit>
void each_tensor(Value& value, const Visit& visit) {
  if constexpr (is_tensor<Value>)
    visit(value);
  else if constexpr (requires { std::tuple_size<Value>::value; })
    std::apply([&](auto&... parts) { (each_tensor(parts, visit), ...); }, value);
}

namespace detail {

// What hooks may put others in the places of: the tensors among a module's arguments, of which the one at `index` has this place.
constexpr size_t place(const bool* tensors, size_t index) {
  size_t before = 0;
  for (size_t i = 0; i < index; ++i) before += tensors[i];
  return before;
}
inline void keep(const Tensor& argument, Tensor& place) { place = argument; }
inline void keep(const auto&, Tensor&) {}
inline Tensor& taken(Tensor&, Tensor& place) { return place; }
inline const Tensor& taken(const Tensor&, Tensor& place) { return place; }
inline auto& taken(auto& argument, Tensor&) { return argument; }

}  // namespace detail

/// The base of every module: `struct LeNet : nn::Module<LeNet> { … Tensor forward(const Tensor& x) const { … } };`
/// Parameters and children are members, declared once with parameter(), buffer() and add(). forward() may take and return anything; calling
/// the module calls it, and puts the module's path in front of errors. A module may have `std::string describe() const` for them.
template <class Self>
class Module : public ModuleBase {
 public:
  Module() : ModuleBase(kind) { enter(); }
  Module(const Module& other) : ModuleBase(other) { enter(); }
  ~Module() { leave(); }

  template <class... Args>
  auto operator()(Args&&... args) const {
    const Self& self = static_cast<const Self&>(*this);
    const autograd::Place here = place();
    try {
      if (hooked()) return call_hooked(self, std::index_sequence_for<Args...>(), args...);
      return self.forward(std::forward<Args>(args)...);
    } catch (const Error& error) {
      rethrow_from_here(error);
    }
  }

 private:
  static std::string describe_as_self(const ModuleBase& module) {
    if constexpr (requires(const Self& self) { self.describe(); }) return static_cast<const Self&>(module).describe();
    return {};
  }
  static void reseat(ModuleBase& handle, const ModuleBase& another) {
    Self& self = static_cast<Self&>(handle);
    std::destroy_at(&self);
    std::construct_at(&self, static_cast<const Self&>(another));
  }
  static constexpr ModuleKind kind{typeid(Self), describe_as_self, reseat};

  template <size_t... I, class... Args>
  auto call_hooked(const Self& self, std::index_sequence<I...>, Args&... args) const {
    constexpr bool tensors[]{is_tensor<Args>..., false};
    constexpr size_t count = (size_t{is_tensor<Args>} + ... + 0);
    Tensor inputs[count + 1];
    (detail::keep(args, inputs[detail::place(tensors, I)]), ...);
    run_hooks(true, {inputs, count}, {});
    const auto run = [&] { return self.forward(detail::taken(args, inputs[detail::place(tensors, I)])...); };
    if constexpr (std::is_void_v<decltype(run())>) {
      run();
      run_hooks(false, {inputs, count}, {});
    } else {
      auto result = run();
      if constexpr (is_tensor<decltype(result)>) {
        run_hooks(false, {inputs, count}, {&result, 1});
      } else {
        std::vector<Tensor> outputs;
        each_tensor(result, [&](const Tensor& y) { outputs.push_back(y); });
        run_hooks(false, {inputs, count}, outputs);
        Tensor* next = outputs.data();
        each_tensor(result, [&](Tensor& y) { y = *next++; });
      }
      return result;
    }
  }
};

}  // namespace scry::nn
