#include <scry/autograd/tape.hpp>
#include <scry/core/memory.hpp>
#include <scry/optim/registry_state.hpp>
#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_set>

namespace scry::optim {
namespace {

// The arenas of living registries. A tensor keeps its arena alive, so the arena alone doesn't tell whether its registry is still there.
class LivingArenas {
 public:
  void add(const Storage* arena) {
    const std::lock_guard lock(mutex_);
    arenas_.insert(arena);
  }
  void remove(const Storage* arena) {
    const std::lock_guard lock(mutex_);
    arenas_.erase(arena);
  }
  bool contains(const Storage* arena) {
    const std::lock_guard lock(mutex_);
    return arenas_.contains(arena);
  }

 private:
  std::mutex mutex_;
  std::unordered_set<const Storage*> arenas_;
};

LivingArenas& living_arenas() {
  static auto* const instance = new LivingArenas;  // registries may outlive any static object
  return *instance;
}

Ref<Storage> zeroed(const Segment& segment) {
  const size_t bytes = static_cast<size_t>(segment.elements) * size_of(segment.dtype);
  Ref<Storage> arena = Storage::allocate(bytes);
  if (bytes) std::memset(arena->data(), 0, bytes);
  return arena;
}

// * stands for any characters, ? for one. Goes back to the last * only, so time is at most the product of the lengths.
bool matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// A gradient from before that nobody else sees can move into the arena, where steps find it in place.
bool is_alone(const Tensor& gradient) {
  if (!gradient.defined() || gradient.requires_grad() || !gradient.is_contiguous()) return false;
  const auto& node = gradient.node();
  return node.unique() && node.storage->unique() && node.offset == 0 &&
         node.storage->bytes() == static_cast<size_t>(gradient.numel()) * size_of(gradient.dtype());
}

std::string quoted(const NamedTensor& named) { return "'" + named.name + "'"; }

}  // namespace

// What is about to be added: everything is checked and allocated here before any tensor moves.
struct RegistryState::Addition {
  std::vector<Row> rows;
  std::vector<Segment> segments;
  std::unordered_map<std::string, size_t> names;  // row indices count on from the registry's
  std::unordered_map<const Storage*, size_t> storages;
  std::vector<std::pair<size_t, std::string>> aliases;
};

RegistryState::~RegistryState() {
  for (const Segment& segment : segments) living_arenas().remove(segment.values.get());
  for (const Row& row : rows)
    if (autograd::Leaf* leaf = autograd::leaf_of(row.value)) leaf->window = {};
}

void RegistryState::check(const NamedTensor& named, RowRole role, Addition& addition) const {
  const std::string what = quoted(named);
  require(!named.name.empty(), "registry: a tensor has an empty name");
  require(named.tensor.defined(), "registry: ", what, " is undefined");
  require(!names_.contains(named.name) && !addition.names.contains(named.name), "registry: the name ", what, " is given twice");
  const Tensor& tensor = named.tensor;
  Storage& storage = *tensor.node().storage;

  const auto known = storages_.find(&storage);
  const auto added = addition.storages.find(&storage);
  const size_t index = known != storages_.end()           ? known->second
                       : added != addition.storages.end() ? added->second
                                                          : rows.size() + addition.rows.size();
  addition.names.emplace(named.name, index);
  if (index < rows.size() + addition.rows.size()) {
    if (index >= rows.size()) put_in_group(addition.rows[index - rows.size()], named.name);
    const Row& row = index < rows.size() ? rows[index] : addition.rows[index - rows.size()];
    require(same_node(row.value, tensor), "registry: ", what, " shares memory with '", row.name,
            "' but is another tensor with its own gradient; tie parameters by assigning the tensor itself");
    require(row.role == role, "registry: ", what, " is both a parameter and a buffer ('", row.name, "')");
    addition.aliases.emplace_back(index, named.name);
    return;
  }

  const size_t bytes = static_cast<size_t>(tensor.numel()) * size_of(tensor.dtype());
  require(tensor.is_contiguous() && tensor.node().offset == 0 && storage.bytes() == bytes, "registry: ", what, " of shape ", tensor.shape(),
          " is a view or not row-major, so its memory cannot move into the registry's; register the tensor that it is a view of, or a clone");
  require(!storage.arena() || !living_arenas().contains(storage.arena().get()), "registry: ", what,
          " belongs to another registry; add to that one, or let go of it (and of its optimizers) first");
  require(role == RowRole::buffer || is_floating(tensor.dtype()), "registry: the parameter ", what, " is ", tensor.dtype(),
          "; parameters are f32 or f64, other types can be buffers");
  addition.storages.emplace(&storage, index);
  addition.rows.push_back({.name = named.name, .aliases = {}, .value = tensor, .gradient = {}, .role = role});
  put_in_group(addition.rows.back(), named.name);
}

// Gives each new row its place in a new segment.
void RegistryState::place(Addition& addition) const {
  using Kind = Segment::Kind;
  for (Row& row : addition.rows) {
    const DType dtype = row.value.dtype();
    const Kind kind = row.role == RowRole::buffer ? Kind::buffers : row.value.requires_grad() ? Kind::trained : Kind::frozen;
    size_t s = 0;
    while (s < addition.segments.size() && (addition.segments[s].dtype != dtype || addition.segments[s].kind != kind)) ++s;
    if (s == addition.segments.size()) addition.segments.push_back({.dtype = dtype, .kind = kind, .values = {}, .gradients = {}});
    Segment& segment = addition.segments[s];
    const auto line = static_cast<int64_t>(memory::alignment / size_of(dtype));
    row.segment = static_cast<int32_t>(segments.size() + s);
    row.offset = segment.elements;
    row.padded = (row.value.numel() + line - 1) / line * line;
    segment.elements += row.padded;
  }
  for (Segment& segment : addition.segments) segment.values = zeroed(segment);
}

void RegistryState::commit(Addition& addition) {
  names_.merge(addition.names);
  storages_.merge(addition.storages);
  const size_t first = segments.size();
  for (Segment& segment : addition.segments) {
    living_arenas().add(segment.values.get());
    segments.push_back(std::move(segment));
  }
  for (Row& row : addition.rows) {
    const Segment& segment = segments[static_cast<size_t>(row.segment)];
    row.value.node().storage->move_into(segment.values, static_cast<size_t>(row.offset) * size_of(segment.dtype));
    rows.push_back(std::move(row));
  }
  for (auto& [index, name] : addition.aliases) rows[index].aliases.push_back(std::move(name));
  for (const auto& slot : slots()) grow(*slot);
  for (size_t s = first; s < segments.size(); ++s)
    if (segments[s].kind == Segment::Kind::trained)
      activate(static_cast<int32_t>(s));
    else if (segments[s].kind == Segment::Kind::buffers && listener_)
      listener_->segment_activated(static_cast<int32_t>(s));
}

void RegistryState::add(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers) {
  Addition addition;
  for (const NamedTensor& named : parameters) check(named, RowRole::parameter, addition);
  for (const NamedTensor& named : buffers) check(named, RowRole::buffer, addition);
  place(addition);
  commit(addition);
}

size_t RegistryState::find(std::string_view name) const {
  const auto found = names_.find(std::string(name));
  require(found != names_.end(), "registry: there is no row '", name, "' among ", rows.size());
  return found->second;
}

void RegistryState::activate(int32_t index) {
  Segment& segment = segments[static_cast<size_t>(index)];
  if (segment.active) return;
  segment.gradients = zeroed(segment);
  segment.active = true;
  for (Row& row : rows) {
    if (row.segment != index) continue;
    const size_t width = size_of(segment.dtype), bytes = static_cast<size_t>(row.value.numel()) * width;
    const Shape& shape = row.value.shape();
    auto window = Storage::window(segment.gradients, static_cast<size_t>(row.offset) * width, bytes);
    row.gradient = Tensor::view(std::move(window), 0, shape, row_major_strides(shape), segment.dtype);
    if (autograd::Leaf* leaf = autograd::leaf_of(row.value)) {
      leaf->window = row.gradient;
      leaf->name = row.name;
      if (is_alone(leaf->gradient)) leaf->gradient.node().storage->move_into(segment.gradients, static_cast<size_t>(row.offset) * width);
    }
  }
  for (const auto& slot : slots()) grow(*slot);
  if (listener_) listener_->segment_activated(index);
}

void RegistryState::grow(Slot& slot) const {
  if (slot.kind != SlotKind::elementwise) return slot.numbers.resize(slot.kind == SlotKind::per_row ? rows.size() : 1);
  slot.arenas.resize(segments.size());
  for (size_t s = 0; s < segments.size(); ++s) {
    const Segment& segment = segments[s];
    const bool covered = segment.active || (slot.buffers && segment.kind == Segment::Kind::buffers && is_floating(segment.dtype));
    if (covered && !slot.arenas[s]) slot.arenas[s] = zeroed(segment);
  }
}

std::shared_ptr<Slot> RegistryState::add_slot(std::string name, SlotRole role, SlotKind kind, bool buffers) {
  std::erase_if(slots_, [](const auto& slot) { return slot.expired(); });
  for (const auto& slot : slots()) require(slot->name != name, "registry: there is a slot '", name, "' already");
  auto slot = std::make_shared<Slot>(Slot{std::move(name), role, kind, buffers, {}, {}});
  grow(*slot);
  slots_.push_back(slot);
  return slot;
}

std::vector<std::shared_ptr<Slot>> RegistryState::slots() const {
  std::vector<std::shared_ptr<Slot>> living;
  for (const auto& slot : slots_)
    if (auto held = slot.lock()) living.push_back(std::move(held));
  return living;
}

std::shared_ptr<Slot> RegistryState::find_slot(std::string_view name) const {
  std::string known;
  for (auto& slot : slots()) {
    if (slot->name == name) return slot;
    append_text(known, text(known.empty() ? "" : ", ", slot->name));
  }
  fail("registry: there is no slot '", name, "'; there are: ", known.empty() ? "none" : known);
}

void RegistryState::put_in_group(Row& row, std::string_view name) const {
  if (row.role != RowRole::parameter) return;
  for (size_t group = 1; group < groups.size(); ++group) {
    if (!matches(groups[group], name)) continue;
    const auto index = static_cast<int32_t>(group);
    require(row.group == 0 || row.group == index, "registry: '", row.name, "' is in two groups, '", groups[static_cast<size_t>(row.group)], "' and '",
            groups[group], "'; let it match one of them");
    row.group = index;
  }
}

void RegistryState::add_group(const std::string& pattern) {
  for (const std::string& each : groups) require(each != pattern, "registry: there is a group '", pattern, "' already");
  const auto is_in = [&](const Row& row) {
    return row.role == RowRole::parameter && (matches(pattern, row.name) || std::any_of(row.aliases.begin(), row.aliases.end(),
                                                                                        [&](const auto& alias) { return matches(pattern, alias); }));
  };
  bool any = false;
  for (const Row& row : rows) {
    if (!is_in(row)) continue;
    require(row.group == 0, "registry: '", row.name, "' would be in two groups, '", groups[static_cast<size_t>(row.group)], "' and '", pattern,
            "'; let it match one of them");
    any = true;
  }
  require(any, "registry: no parameter has a name like '", pattern, "'; * stands for any characters and ? for one, as in '*.bias'");
  groups.push_back(pattern);
  for (Row& row : rows)
    if (is_in(row)) row.group = static_cast<int32_t>(groups.size()) - 1;
}

size_t RegistryState::find_group(std::string_view pattern) const {
  const auto found = std::find(groups.begin(), groups.end(), pattern);
  require(found != groups.end(), "registry: there is no group '", pattern, "'");
  return static_cast<size_t>(found - groups.begin());
}

void RegistryState::attach(SegmentListener* listener) {
  require(!listener_, "registry: it has an optimizer already, and two would both step the same rows; let go of the first, or wrap it");
  listener_ = listener;
}

void RegistryState::detach(SegmentListener* listener) {
  if (listener_ != listener) return;
  listener_ = nullptr;
  groups.resize(1);
  for (Row& row : rows) row.group = 0;
}

}  // namespace scry::optim
