#pragma once

// What a checkpoint says of its tensors, and its JSON: what the writer and the reader agree on.

#include <cstdint>
#include <string>
#include <vector>

namespace scry::optim {

struct CheckpointHeader {
  struct Option {
    std::string name, given, now;  ///< as in expressions: at construction, and as a schedule has moved it
  };
  struct Rule {
    std::string name;
    std::vector<std::vector<Option>> options;  ///< by group, of the same order as `groups`: those that it has for itself
    std::vector<std::string> slots;
  };
  struct Row {
    std::string name;
    std::vector<std::string> aliases;
    bool buffer = false;
    bool trained = false;
  };

  std::string optimizer;  ///< its expression
  int64_t steps = 0;
  std::vector<std::string> groups;  ///< their patterns; the first is that of all others, empty
  std::vector<Rule> rules;          ///< from the outermost to the innermost
  std::string averaged;             ///< the slot of the weights to ship; empty where they are those in training
  std::vector<Row> rows;
  std::vector<std::string> parts;  ///< whatever else was saved: loaders, schedules
  uint64_t seed = 0, counter = 0;  ///< of this thread's default generator

  static constexpr const char* key = "scry";  ///< in the metadata
  static constexpr const char* checksum_key = "scry checksum";
  static constexpr const char* format = "scry checkpoint";
  static constexpr int version = 1;

  // Names of tensors in the file.
  /// A row's weights in training, where others are to be shipped.
  static std::string training_name(const std::string& row) { return "training:" + row; }
  /// A row's part of an elementwise slot.
  static std::string slot_name(const std::string& slot, const std::string& row) { return slot + ":" + row; }
  static std::string part_name(const std::string& part, const std::string& name) { return "part:" + part + "/" + name; }
};

struct Checkpoint;
/// Of the header and all tensors, in hexadecimal digits: against damage, not forgery.
std::string checksum(const Checkpoint& checkpoint);

}  // namespace scry::optim
