#include <scry/autograd/tape.hpp>
#include <scry/optim/registry_state.hpp>
#include <algorithm>
#include <iomanip>
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
  for (const auto& slot : state_->slots()) {
    if (slot->name != slot_name) continue;
    if (slot->kind == SlotKind::per_row) return Tensor::of<double>({slot->numbers[index]}, {});
    const Ref<Storage>& arena = slot->arenas[static_cast<size_t>(row.segment)];
    require(static_cast<bool>(arena), "registry: '", row_name, "' is not trained and has no ", slot_name);
    const size_t width = size_of(row.value.dtype());
    auto window = Storage::window(arena, static_cast<size_t>(row.offset) * width, static_cast<size_t>(row.value.numel()) * width);
    return Tensor::view(std::move(window), 0, row.value.shape(), row_major_strides(row.value.shape()), row.value.dtype());
  }
  std::string known;
  for (const auto& slot : state_->slots()) append_text(known, text(known.empty() ? "" : ", ", slot->name));
  fail("registry: there is no slot '", slot_name, "'; there are: ", known.empty() ? "none" : known);
}

std::ostream& operator<<(std::ostream& out, const Registry& registry) {
  size_t name_width = 4, shape_width = 5;
  const auto name_of_row = [](const Row& row) {
    std::string name = row.name;
    for (const std::string& alias : row.aliases) name += " = " + alias;
    return name;
  };
  for (const Row& row : registry.rows()) {
    name_width = std::max(name_width, name_of_row(row).size());
    shape_width = std::max(shape_width, text(row.value.shape()).size());
  }
  const auto line = [&](std::string_view name, std::string_view shape, std::string_view type, const std::string& elements, std::string_view status) {
    out << std::left << std::setw(static_cast<int>(name_width)) << name << "  " << std::setw(static_cast<int>(shape_width)) << shape << "  "
        << std::setw(4) << type << std::right << std::setw(11) << elements << "  " << status << '\n';
  };
  line("name", "shape", "type", "elements", "role");
  for (const Row& row : registry.rows())
    line(name_of_row(row), text(row.value.shape()), name_of(row.value.dtype()), std::to_string(row.value.numel()), status_of(row));

  int64_t values = 0, gradients = 0;
  for (const Segment& segment : registry.state().segments) {
    values += bytes_of(segment.values);
    gradients += bytes_of(segment.gradients);
  }
  out << registry.parameter_count() << " parameters; values " << memory_text(values) << ", gradients " << memory_text(gradients);
  for (const SlotInfo& slot : registry.slots()) out << ", " << slot.name << ' ' << memory_text(slot.bytes);
  return out << '\n';
}

}  // namespace scry::optim
