#include <scry/autograd/tape.hpp>
#include <scry/optim/registry_state.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

namespace scry::optim {
namespace {

std::string memory_text(int64_t bytes) {
  if (bytes < 10 << 10) return text(bytes, " bytes");
  if (bytes < 10 << 20) return text(bytes >> 10, " KiB");
  return text(bytes >> 20, " MiB");
}

std::string_view status_of(const Row& row) {
  if (row.role == RowRole::buffer) return "buffer";
  return row.value.requires_grad() ? "trained" : "frozen";
}

int64_t bytes_of(const Ref<Storage>& storage) { return storage ? static_cast<int64_t>(storage->bytes()) : 0; }

}  // namespace

Registry::Registry(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers) : state_(std::make_shared<RegistryState>()) {
  add(parameters, buffers);
}

void Registry::add(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers) { state_->add(parameters, buffers); }

std::span<const Row> Registry::rows() const { return state_->rows; }

const Row& Registry::row(std::string_view name) const { return state_->rows[state_->find(name)]; }

int64_t Registry::parameter_count() const {
  int64_t count = 0;
  for (const Row& row : rows())
    if (row.role == RowRole::parameter) count += row.value.numel();
  return count;
}

void Registry::zero_grad() const {
  for (const Row& row : rows())
    if (autograd::Leaf* leaf = autograd::leaf_of(row.value)) leaf->gradient = {};
}

std::vector<std::string> Registry::without_gradient() const {
  std::vector<std::string> names;
  for (const Row& row : rows())
    if (const autograd::Leaf* leaf = autograd::leaf_of(row.value); leaf && row.role == RowRole::parameter && !leaf->gradient.defined())
      names.push_back(row.name);
  return names;
}

std::vector<SlotInfo> Registry::slots() const {
  std::vector<SlotInfo> infos;
  for (const auto& slot : state_->slots()) {
    auto bytes = static_cast<int64_t>(slot->numbers.size() * sizeof(double));
    for (const auto& arena : slot->arenas) bytes += bytes_of(arena);
    infos.push_back({slot->name, bytes});
  }
  return infos;
}

Tensor Registry::slot(std::string_view row_name, std::string_view slot_name) const {
  const size_t index = state_->find(row_name);
  const Row& row = state_->rows[index];
  const auto slot = state_->find_slot(slot_name);
  if (slot->kind != SlotKind::elementwise) return Tensor::of<double>({slot->numbers[slot->kind == SlotKind::per_row ? index : 0]}, {});
  require(covers(*slot, row), "registry: '", row_name, "' is not trained and has no ", slot_name);
  const Ref<Storage>& arena = slot->arenas[static_cast<size_t>(row.segment)];
  const size_t width = size_of(row.value.dtype());
  auto window = Storage::window(arena, static_cast<size_t>(row.offset) * width, static_cast<size_t>(row.value.numel()) * width);
  return Tensor::view(std::move(window), 0, row.value.shape(), row_major_strides(row.value.shape()), row.value.dtype());
}

void Registry::set_slot(std::string_view row_name, std::string_view slot_name, double value) const {
  const size_t index = state_->find(row_name);
  const auto slot = state_->find_slot(slot_name);
  require(slot->kind != SlotKind::elementwise, "registry: ", slot_name, " has a tensor for each row; write to slot(\"", row_name, "\", \"", slot_name,
          "\") instead");
  require(std::isfinite(value), "registry: ", slot_name, " cannot be ", value);
  slot->numbers[slot->kind == SlotKind::per_row ? index : 0] = value;
}

std::ostream& operator<<(std::ostream& out, const Registry& registry) {
  const RegistryState& state = registry.state();
  std::vector<std::array<std::string, 6>> lines{{"name", "shape", "type", "elements", "role", state.groups.size() > 1 ? "group" : ""}};
  for (const Row& row : registry.rows()) {
    std::string name = row.name;
    for (const std::string& alias : row.aliases) name += " = " + alias;
    lines.push_back({name, text(row.value.shape()), std::string(name_of(row.value.dtype())), std::to_string(row.value.numel()),
                     std::string(status_of(row)), state.groups[static_cast<size_t>(row.group)]});
  }
  std::array<size_t, 6> widths{};
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  for (const auto& line : lines) {
    std::string padded;
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - line[i].size(), ' ');
      append_text(padded, text(i == 3 ? space + line[i] : line[i] + space, "  "));  // numbers to the right
    }
    out << padded.substr(0, padded.find_last_not_of(' ') + 1) << '\n';
  }

  int64_t values = 0, gradients = 0;
  for (const Segment& segment : state.segments) {
    values += bytes_of(segment.values);
    gradients += bytes_of(segment.gradients);
  }
  out << registry.parameter_count() << " parameters; values " << memory_text(values) << ", gradients " << memory_text(gradients) << '\n';
  const auto slots = registry.slots();
  for (size_t i = 0; i < slots.size();) {  // those of one rule are in line
    const std::string rule = slots[i].name.substr(0, slots[i].name.find('/'));
    int64_t bytes = 0;
    std::string each;
    for (; i < slots.size() && slots[i].name.starts_with(rule + "/"); ++i) {
      bytes += slots[i].bytes;
      append_text(each, text(each.empty() ? "" : ", ", slots[i].name.substr(rule.size() + 1), " ", memory_text(slots[i].bytes)));
    }
    out << rule << ": " << memory_text(bytes) << " (" << each << ")\n";
  }
  return out;
}

}  // namespace scry::optim
