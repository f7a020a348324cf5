#pragma once

// What the writer and the reader of checkpoints agree on.

#include <string>

namespace scry::optim::checkpoint_format {

inline constexpr const char* header_key = "scry";
inline constexpr const char* format = "scry checkpoint";
inline constexpr int version = 1;

/// The name of a row's weights in training, where others are to be shipped.
inline std::string training_name(const std::string& row) { return "training:" + row; }
/// The name of a row's part of an elementwise slot.
inline std::string slot_name(const std::string& slot, const std::string& row) { return slot + ":" + row; }

}  // namespace scry::optim::checkpoint_format
