#pragma once

#include <scry/core/storage.hpp>
#include <scry/core/tensor.hpp>

namespace scry::optim {

/// What a piece of optimizer state stands for, so that wrappers, printing and traces know what to do with it.
enum class SlotRole : uint8_t {
  first_moment,   ///< an average of gradients: momentum
  second_moment,  ///< an average of their squares
  weights,        ///< another copy of the weights, as Lookahead's slow ones
  anchor,         ///< what another slot was at the last sync
  step,           ///< a count of steps
  gradients,      ///< a sum of gradients
  number          ///< anything else, by row
};

enum class SlotKind : uint8_t {
  elementwise,
  per_row,  ///< one number a row
  whole     ///< one number
};

struct SlotSpec {
  std::string_view name;
  SlotRole role;
  SlotKind kind = SlotKind::elementwise;
};

/// One named piece of state for every parameter: an arena a segment, in the order of the values', or a number a row.
struct Slot {
  std::string name;  ///< "adam/exp_avg"
  SlotRole role;
  SlotKind kind;
  bool buffers;                      ///< elementwise: also of buffers of f32 and f64
  std::vector<Ref<Storage>> arenas;  ///< elementwise: by segment; null where no parameter of it is trained
  std::vector<double> numbers;       ///< per_row: by row; whole: one
};

}  // namespace scry::optim
