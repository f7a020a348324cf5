#include <scry/core/kernels/copy.hpp>
#include <scry/core/random.hpp>
#include <scry/optim/checkpoint.hpp>
#include <scry/optim/checkpoint_format.hpp>
#include <scry/optim/engine.hpp>
#include <nlohmann/json.hpp>

namespace scry::optim {
namespace {

namespace format = checkpoint_format;
using Json = nlohmann::ordered_json;

bool is_trained(const RegistryState& table, const Row& row) { return table.segments[static_cast<size_t>(row.segment)].active; }

Json describe_rows(const RegistryState& table) {
  Json rows = Json::array();
  for (const Row& row : table.rows)
    rows.push_back({{"name", row.name},
                    {"aliases", row.aliases},
                    {"role", row.role == RowRole::buffer ? "buffer" : "parameter"},
                    {"type", name_of(row.value.dtype())},
                    {"shape", std::vector<int64_t>(row.value.shape().begin(), row.value.shape().end())},
                    {"trained", is_trained(table, row)}});
  return rows;
}

Json describe_rules(const Engine& engine) {
  Json rules = Json::array();
  for (const UpdateRule* rule : engine.chain()) {
    Json groups = Json::array(), slots = Json::array();
    for (size_t group = 0; group < rule->options_table().groups(); ++group) {
      Json options = Json::object();
      for (const Hyperparameter& field : rule->hyperparameters(group))
        if (field.own) options[std::string(field.name)] = {{"given", to_text(field, field.given)}, {"now", to_text(field, field.value)}};
      groups.push_back(options);
    }
    for (const auto& slot : rule->slots()) slots.push_back(slot->name);
    rules.push_back({{"name", rule->name()}, {"options", groups}, {"slots", slots}});
  }
  return rules;
}

std::string header(const Optimizer& optimizer) {
  const Engine& engine = optimizer.engine();
  const Slot* averaged = engine.rule().averaged_weights();
  const Generator& generator = default_generator();
  const Json json{{"format", format::format},
                  {"version", format::version},
                  {"optimizer", optimizer.expression()},
                  {"steps", engine.steps()},
                  {"groups", engine.registry().state().groups},
                  {"rules", describe_rules(engine)},
                  {"averaged", averaged ? Json(averaged->name) : Json()},
                  {"rows", describe_rows(engine.registry().state())},
                  {"generator", {{"seed", generator.seed()}, {"counter", generator.counter()}}}};
  return json.dump();
}

// Views of the state, not copies.
std::vector<NamedTensor> tensors_of(const Engine& engine) {
  const Registry& registry = engine.registry();
  const RegistryState& table = registry.state();
  const Slot* averaged = engine.rule().averaged_weights();
  std::vector<NamedTensor> tensors;
  for (const Row& row : table.rows) {
    const Tensor value = row.value.detach();
    const bool differs = averaged && is_trained(table, row);
    const Tensor shipped = differs ? registry.slot(row.name, averaged->name) : value;
    tensors.push_back({row.name, shipped});
    for (const std::string& alias : row.aliases) tensors.push_back({alias, shipped});
    if (differs) tensors.push_back({format::training_name(row.name), value});
  }
  for (const UpdateRule* rule : engine.chain()) {
    for (const auto& slot : rule->slots()) {
      if (slot->kind == SlotKind::per_row) {
        tensors.push_back({slot->name, Tensor::of<double>(slot->numbers, {static_cast<int64_t>(slot->numbers.size())})});
        continue;
      }
      for (const Row& row : table.rows)
        if (slot.get() != averaged && is_trained(table, row))
          tensors.push_back({format::slot_name(slot->name, row.name), registry.slot(row.name, slot->name)});
    }
  }
  return tensors;
}

Checkpoint view(const Optimizer& optimizer, const io::Metadata& metadata) {
  optimizer.engine().require_training("save a checkpoint");
  require(!metadata.contains(format::header_key), "checkpoint: the metadata key '", format::header_key, "' is taken; use another");
  Checkpoint checkpoint{tensors_of(optimizer.engine()), metadata};
  checkpoint.metadata[format::header_key] = header(optimizer);
  return checkpoint;
}

}  // namespace

Checkpoint capture(const Optimizer& optimizer, const io::Metadata& metadata) {
  Checkpoint checkpoint = view(optimizer, metadata);
  for (NamedTensor& each : checkpoint.tensors) each.tensor = kernels::clone(each.tensor);
  return checkpoint;
}

void save_checkpoint(const std::string& path, const Optimizer& optimizer, const io::Metadata& metadata) {
  const Checkpoint checkpoint = view(optimizer, metadata);
  io::save_safetensors(path, checkpoint.tensors, checkpoint.metadata);
}

Restored load_checkpoint(const std::string& path, Optimizer& optimizer) {
  io::SafetensorsFile file = io::load_safetensors(path);
  return restore(optimizer, {std::move(file.tensors), std::move(file.metadata)}, path);
}

}  // namespace scry::optim
