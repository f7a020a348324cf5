#pragma once

#include <scry/core/io/safetensors.hpp>
#include <scry/core/random.hpp>
#include <scry/optim/optimizer.hpp>

namespace scry::optim {

/// Everything that training depends on: parameters, buffers, the optimizer's slots, step counts and options, this thread's default random
/// generator, and whatever parts are named. As a file it is safetensors with a JSON header under the metadata key "scry". Its tensors:
///
///     conv1.weight               the weights to evaluate and ship (Lookahead's slow ones), by every name that the tensor has; buffers too
///     training:conv1.weight      the weights in training, where they are others
///     adam/exp_avg:conv1.weight  a slot of a row
///     adam/step                  a slot with one number a row, in the header's order
///     part:loader/epoch          what a part calls its state
struct Checkpoint {
  std::vector<NamedTensor> tensors;
  io::Metadata metadata;  ///< the caller's, and "scry"
};

/// Whatever tells its state as named tensors, copies of its own, and takes such a state all at once, or not at all with an Error.
template <class T>
concept HasState = requires(const T& saved, T& restored, const std::vector<NamedTensor>& state) {
  { saved.state_dict() } -> std::convertible_to<std::vector<NamedTensor>>;
  restored.load_state_dict(state);
};

/// Something besides an optimizer that is saved and restored with it, under a name of its own: a loader, a schedule, a random generator, another
/// optimizer. It is only referred to.
class CheckpointPart {
 public:
  template <HasState T>
  CheckpointPart(std::string name, T& object)
      : name_(std::move(name)),
        object_(&object),
        save_([](void* at) -> std::vector<NamedTensor> { return static_cast<T*>(at)->state_dict(); }),
        load_([](void* at, const std::vector<NamedTensor>& state) { static_cast<T*>(at)->load_state_dict(state); }) {}
  CheckpointPart(std::string name, Generator& generator);
  CheckpointPart(std::string name, Optimizer& optimizer);

  const std::string& name() const { return name_; }
  std::vector<NamedTensor> save() const { return save_(object_); }
  void load(const std::vector<NamedTensor>& state) const { load_(object_, state); }

 private:
  std::string name_;
  void* object_;
  std::vector<NamedTensor> (*save_)(void*);
  void (*load_)(void*, const std::vector<NamedTensor>&);
};

/// What a checkpoint brought beside its tensors.
struct Restored {
  io::Metadata metadata;           ///< the caller's
  std::vector<std::string> notes;  ///< what was left out, and what was done where the checkpoint is of the same optimizer with or without a wrapper
};

/// A copy of the state as it is; later steps don't alter it. Not inside an evaluation scope.
Checkpoint capture(const Optimizer& optimizer, const io::Metadata& metadata = {}, const std::vector<CheckpointPart>& parts = {});

/// Puts the state back: training goes on with the same bits. The registry must have the same rows (names, shapes, types) in any order,
/// and the optimizer the same rules, slots, and, for Lookahead, k, alpha and inner_state. Other options take the checkpoint's values. Every part
/// must be in the checkpoint; those that aren't asked for are left out.
/// A checkpoint of the inner optimizer alone starts a wrapper's window anew from the loaded weights; a wrapper's checkpoint, loaded into the
/// inner optimizer alone, gives it the averaged weights; notes say so. Any other difference is an Error that names it, with `source`, and
/// nothing has changed.
Restored restore(Optimizer& optimizer, const Checkpoint& checkpoint, std::string_view source = "checkpoint",
                 const std::vector<CheckpointPart>& parts = {});

/// `capture` to a file, atomically and with a checksum, and `restore` from one.
void save_checkpoint(const std::string& path, const Optimizer& optimizer, const io::Metadata& metadata = {},
                     const std::vector<CheckpointPart>& parts = {});
Restored load_checkpoint(const std::string& path, Optimizer& optimizer, const std::vector<CheckpointPart>& parts = {});

}  // namespace scry::optim
