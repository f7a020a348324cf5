#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/optim/checkpoint.hpp>
#include <scry/optim/engine.hpp>
#include <scry/optim/json.hpp>
#include <algorithm>
#include <bit>
#include <cstring>

namespace scry::optim {
namespace {

using Header = CheckpointHeader;

std::vector<Header::Row> describe_rows(const RegistryState& table) {
  std::vector<Header::Row> rows;
  for (const Row& row : table.rows)
    rows.push_back({.name = row.name,
                    .aliases = row.aliases,
                    .buffer = row.role == RowRole::buffer,
                    .trained = table.segments[static_cast<size_t>(row.segment)].active});
  return rows;
}

std::vector<Header::Rule> describe_rules(const Engine& engine) {
  std::vector<Header::Rule> rules;
  for (const UpdateRule* rule : engine.chain()) {
    Header::Rule& described = rules.emplace_back(Header::Rule{std::string(rule->name()), {}, {}});
    for (size_t group = 0; group < rule->options_table().groups(); ++group) {
      auto& options = described.options.emplace_back();
      for (const Hyperparameter& field : rule->hyperparameters(group))
        if (field.own) options.push_back({std::string(field.name), to_text(field, field.given), to_text(field, field.value)});
    }
    for (const auto& slot : rule->slots()) described.slots.push_back(slot->name);
  }
  return rules;
}

std::string header(const Optimizer& optimizer, const std::vector<CheckpointPart>& parts) {
  const Engine& engine = optimizer.engine();
  const Slot* averaged = engine.rule().averaged_weights();
  Header header{.optimizer = optimizer.expression(),
                .steps = engine.steps(),
                .groups = engine.registry().state().groups,
                .rules = describe_rules(engine),
                .averaged = averaged ? averaged->name : "",
                .rows = describe_rows(engine.registry().state()),
                .parts = {},
                .seed = default_generator().seed(),
                .counter = default_generator().counter()};
  for (const CheckpointPart& part : parts) header.parts.push_back(part.name());
  return to_json(header);
}

// Views of the state, not copies.
std::vector<NamedTensor> tensors_of(const Engine& engine) {
  const Registry& registry = engine.registry();
  const RegistryState& table = registry.state();
  const Slot* averaged = engine.rule().averaged_weights();
  std::vector<NamedTensor> tensors;
  for (const Row& row : table.rows) {
    const Tensor value = row.value.detach();
    const bool differs = averaged && covers(*averaged, row);
    const Tensor shipped = differs ? registry.slot(row.name, averaged->name) : value;
    tensors.push_back({row.name, shipped});
    for (const std::string& alias : row.aliases) tensors.push_back({alias, shipped});
    if (differs) tensors.push_back({Header::training_name(row.name), value});
  }
  for (const UpdateRule* rule : engine.chain()) {
    for (const auto& slot : rule->slots()) {
      if (slot->kind != SlotKind::elementwise) {
        tensors.push_back({slot->name, Tensor::of<double>(slot->numbers, {static_cast<int64_t>(slot->numbers.size())})});
        continue;
      }
      for (const Row& row : table.rows)
        if (slot.get() != averaged && covers(*slot, row))
          tensors.push_back({Header::slot_name(slot->name, row.name), registry.slot(row.name, slot->name)});
    }
  }
  return tensors;
}

void add_parts(std::vector<NamedTensor>& tensors, const std::vector<CheckpointPart>& parts) {
  for (const CheckpointPart& part : parts) {
    require(std::count_if(parts.begin(), parts.end(), [&](const auto& other) { return other.name() == part.name(); }) == 1,
            "checkpoint: two parts are called '", part.name(), "'");
    for (NamedTensor& each : part.save()) tensors.push_back({Header::part_name(part.name(), each.name), std::move(each.tensor)});
  }
}

Checkpoint view(const Optimizer& optimizer, const io::Metadata& metadata, const std::vector<CheckpointPart>& parts) {
  optimizer.engine().require_training("save a checkpoint");
  for (const char* key : {Header::key, Header::checksum_key})
    require(!metadata.contains(key), "checkpoint: the metadata key '", key, "' is taken; use another");
  Checkpoint checkpoint{tensors_of(optimizer.engine()), metadata};
  add_parts(checkpoint.tensors, parts);
  checkpoint.metadata[Header::key] = header(optimizer, parts);
  return checkpoint;
}

// Mixes in eight bytes at a time: it is to find damage, not to withstand forgery.
uint64_t hash(uint64_t seed, const void* data, size_t bytes) {
  const auto mix = [](uint64_t h, uint64_t word) { return std::rotl((h ^ word) * 0x9E3779B97F4A7C15u, 29); };
  const auto* at = static_cast<const char*>(data);
  uint64_t h = mix(seed, bytes);
  for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t), at += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    h = mix(h, word);
  }
  uint64_t rest = 0;
  if (bytes) std::memcpy(&rest, at, bytes);
  return mix(mix(h, rest), 0);
}

}  // namespace

std::string checksum(const Checkpoint& checkpoint) {
  const std::string& header = checkpoint.metadata.at(Header::key);
  uint64_t sum = hash(1, header.data(), header.size());
  for (const NamedTensor& each : checkpoint.tensors) {  // in any order
    const Tensor dense = kernels::contiguous(each.tensor);
    const uint64_t name = hash(2, each.name.data(), each.name.size());
    sum += hash(name, dense.raw(), static_cast<size_t>(dense.numel()) * size_of(dense.dtype()));
  }
  std::string digits(16, '0');
  for (size_t i = 0; i < digits.size(); ++i) digits[i] = "0123456789abcdef"[sum >> (60 - 4 * i) & 15];
  return digits;
}

Checkpoint capture(const Optimizer& optimizer, const io::Metadata& metadata, const std::vector<CheckpointPart>& parts) {
  Checkpoint checkpoint = view(optimizer, metadata, parts);
  for (NamedTensor& each : checkpoint.tensors) each.tensor = kernels::clone(each.tensor);
  return checkpoint;
}

void save_checkpoint(const std::string& path, const Optimizer& optimizer, const io::Metadata& metadata, const std::vector<CheckpointPart>& parts) {
  Checkpoint checkpoint = view(optimizer, metadata, parts);
  checkpoint.metadata[Header::checksum_key] = checksum(checkpoint);
  io::save_safetensors(path, checkpoint.tensors, checkpoint.metadata);
}

Restored load_checkpoint(const std::string& path, Optimizer& optimizer, const std::vector<CheckpointPart>& parts) {
  io::SafetensorsFile file = io::load_safetensors(path);
  return restore(optimizer, {std::move(file.tensors), std::move(file.metadata)}, path, parts);
}

}  // namespace scry::optim
