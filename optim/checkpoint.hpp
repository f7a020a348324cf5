#pragma once

#include <scry/core/io/safetensors.hpp>
#include <scry/optim/optimizer.hpp>

namespace scry::optim {

/// Everything that training depends on: parameters, buffers, the optimizer's slots, step counts and options, and this thread's default random
/// generator. As a file it is safetensors with a JSON header under the metadata key "scry". Its tensors:
///
///     conv1.weight               the weights to evaluate and ship (Lookahead's slow ones), by every name that the tensor has; buffers too
///     training:conv1.weight      the weights in training, where they are others
///     adam/exp_avg:conv1.weight  a slot of a row
///     adam/step                  a slot with one number a row, in the header's order
struct Checkpoint {
  std::vector<NamedTensor> tensors;
  io::Metadata metadata;  ///< the caller's, and "scry"
};

/// What a checkpoint brought beside its tensors.
struct Restored {
  io::Metadata metadata;           ///< the caller's
  std::vector<std::string> notes;  ///< what was done where the checkpoint is of the same optimizer with or without a wrapper
};

/// A copy of the state as it is; later steps don't alter it. Not inside an evaluation scope.
Checkpoint capture(const Optimizer& optimizer, const io::Metadata& metadata = {});

/// Puts the state back: training goes on with the same bits. The registry must have the same rows (names, shapes, types) in any order,
/// and the optimizer the same rules, slots, and, for Lookahead, k, alpha and inner_state. Other options take the checkpoint's values.
/// A checkpoint of the inner optimizer alone starts a wrapper's window anew from the loaded weights; a wrapper's checkpoint, loaded into the
/// inner optimizer alone, gives it the averaged weights; notes say so. Any other difference is an Error that names it, with `source`, and
/// nothing has changed.
Restored restore(Optimizer& optimizer, const Checkpoint& checkpoint, std::string_view source = "checkpoint");

/// `capture` to a file, atomically, and `restore` from one.
void save_checkpoint(const std::string& path, const Optimizer& optimizer, const io::Metadata& metadata = {});
Restored load_checkpoint(const std::string& path, Optimizer& optimizer);

}  // namespace scry::optim
