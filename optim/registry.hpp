#pragma once

#include <scry/core/tensor.hpp>
#include <concepts>
#include <iosfwd>
#include <memory>
#include <span>

namespace scry::optim {

class RegistryState;

enum class RowRole : uint8_t { parameter, buffer };

/// What the registry knows of one tensor.
struct Row {
  std::string name;
  std::vector<std::string> aliases;  ///< further names of the same tensor
  Tensor value;                      ///< a window of the segment's arena of values
  Tensor gradient;                   ///< the parameter's window of the arena of gradients; undefined for buffers and where never trained
  RowRole role = RowRole::parameter;
  int32_t group = 0;
  int32_t segment = 0;  ///< the arena it lies in
  int64_t offset = 0;   ///< where in the arena, in elements
  int64_t padded = 0;   ///< elements up to the next row: whole cache lines
};

/// One slot, as `Registry::slots` tells of it.
struct SlotInfo {
  std::string name;
  int64_t bytes;
};

/// Anything that can name its parameters and buffers, as every nn module does.
template <class Model>
concept NamesTensors = requires(const Model& model) {
  { model.named_parameters() } -> std::convertible_to<std::vector<NamedTensor>>;
  { model.named_buffers() } -> std::convertible_to<std::vector<NamedTensor>>;
};

/// The table of everything that training changes: a row a tensor, and the optimizers' state beside it. Values, gradients and every elementwise
/// slot lie in flat arenas in the same order, so that a step is one stream over memory. Copies are handles on the same table.
///
/// Registering moves a tensor's memory into the arena: every copy and view of it follows. A tensor belongs to one living registry.
class Registry {
 public:
  /// The parameters and buffers of a model. Parameters must be f32 or f64, row-major, and own their memory; buffers may have any type.
  template <NamesTensors Model>
  explicit Registry(const Model& model) : Registry(model.named_parameters(), model.named_buffers()) {}
  explicit Registry(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers = {});

  /// Adds rows in arenas of their own; nothing that is there moves. A tensor that is there already gets another name. Where anything is
  /// wrong, an Error says what, and nothing has been added.
  void add(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers = {});
  template <NamesTensors Model>
  void add(const Model& model) {
    add(model.named_parameters(), model.named_buffers());
  }

  /// In the order in which they were added. Valid until the next `add`.
  std::span<const Row> rows() const;
  /// The row with this name or alias; an Error where there is none.
  const Row& row(std::string_view name) const;
  /// The number of weights in all parameters, frozen ones included; tied ones count once.
  int64_t parameter_count() const;

  /// Forgets all gradients. No memory is touched: the next gradient overwrites.
  void zero_grad() const;
  /// The parameters that require a gradient and have none now.
  std::vector<std::string> without_gradient() const;

  /// The slots of living optimizers.
  std::vector<SlotInfo> slots() const;
  /// The state of one parameter: a view in its shape, or for a slot of numbers, a copy of the row's. An Error where there is none.
  Tensor slot(std::string_view row, std::string_view slot) const;

  /// Sets a row's number in a slot of numbers, as its count of steps. An Error where there is none, or the slot has tensors (write to those).
  void set_slot(std::string_view row, std::string_view slot, double value) const;

  RegistryState& state() const { return *state_; }

 private:
  std::shared_ptr<RegistryState> state_;
};

/// The table in words: a line a row, then the memory in use.
std::ostream& operator<<(std::ostream& out, const Registry& registry);

}  // namespace scry::optim
