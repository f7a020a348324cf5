#pragma once

// What a Registry is a handle on; for optimizers, not for programs.

#include <scry/optim/registry.hpp>
#include <scry/optim/slot.hpp>
#include <unordered_map>

namespace scry::optim {

/// One arena: rows of one element type and kind that were added together. It never moves.
struct Segment {
  enum class Kind : uint8_t { trained, frozen, buffers };
  DType dtype;
  Kind kind;
  bool active = false;   ///< has gradients and slots: from the start where trained, for frozen ones when the first of them is thawed
  int64_t elements = 0;  ///< padding included
  Ref<Storage> values, gradients;
};

/// Whether the row has a part in an elementwise slot.
inline bool covers(const Slot& slot, const Row& row) {
  const auto segment = static_cast<size_t>(row.segment);
  return segment < slot.arenas.size() && slot.arenas[segment];
}

/// Told when a segment becomes active, or buffers are added, so that their slots get their first values.
class SegmentListener {
 public:
  virtual void segment_activated(int32_t segment) = 0;

 protected:
  ~SegmentListener() = default;
};

class RegistryState {
 public:
  RegistryState() = default;
  RegistryState(const RegistryState&) = delete;
  RegistryState& operator=(const RegistryState&) = delete;
  ~RegistryState();

  void add(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers);
  size_t find(std::string_view name) const;

  /// Gives the segment gradients and slots. Does nothing where it has them.
  void activate(int32_t segment);
  /// A new slot, zero everywhere. It stays in the table as long as its optimizer holds it.
  std::shared_ptr<Slot> add_slot(std::string name, SlotRole role, SlotKind kind, bool buffers = false);
  std::vector<std::shared_ptr<Slot>> slots() const;
  /// An Error where there is none of this name.
  std::shared_ptr<Slot> find_slot(std::string_view name) const;

  /// Puts the parameters with such names, and those added later, into a new group. An Error where there are none, or one has a group already.
  void add_group(const std::string& pattern);
  /// The index of the group with this pattern, 0 for an empty one; an Error where there is none.
  size_t find_group(std::string_view pattern) const;

  /// One optimizer at a time may change the rows; its groups end with it.
  void attach(SegmentListener* listener);
  void detach(SegmentListener* listener);

  std::vector<Row> rows;
  std::vector<Segment> segments;
  std::vector<std::string> groups{""};  ///< their patterns; 0 is none

 private:
  struct Addition;
  void check(const NamedTensor& named, RowRole role, Addition& addition) const;
  void place(Addition& addition) const;
  void commit(Addition& addition);
  void put_in_group(Row& row, std::string_view name) const;
  void grow(Slot& slot) const;

  std::unordered_map<std::string, size_t> names_;
  std::unordered_map<const Storage*, size_t> storages_;
  std::vector<std::weak_ptr<Slot>> slots_;
  SegmentListener* listener_ = nullptr;
};

}  // namespace scry::optim
