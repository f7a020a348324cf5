#include <scry/core/io/safetensors.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/nn/weights.hpp>
#include <algorithm>

namespace scry::nn {
namespace {

std::vector<NamedTensor> state_of(const ModuleBase& model) {
  std::vector<NamedTensor> state = model.named_parameters();
  for (NamedTensor& buffer : model.named_buffers()) state.push_back(std::move(buffer));
  return state;
}

// Up to five of the names, for an error.
std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 5; ++i) out += (i ? ", " : "") + names[i];
  return names.size() > 5 ? text(out, " and ", names.size() - 5, " more") : out;
}

void assign(const ModuleBase& model, const std::vector<NamedTensor>& values, const std::string& from) {
  std::map<std::string, Tensor> given;
  for (const NamedTensor& value : values) given[value.name] = value.tensor;
  const std::vector<NamedTensor> state = state_of(model);
  std::vector<std::string> missing, misshapen, unexpected;
  for (const NamedTensor& own : state) {
    const auto found = given.find(own.name);
    if (found == given.end())
      missing.push_back(own.name);
    else if (found->second.shape() != own.tensor.shape())
      misshapen.push_back(text(own.name, " (", found->second.shape(), " instead of ", own.tensor.shape(), ")"));
  }
  for (const NamedTensor& value : values)
    if (std::none_of(state.begin(), state.end(), [&](const NamedTensor& own) { return own.name == value.name; })) unexpected.push_back(value.name);
  std::string problem;
  if (!missing.empty()) problem += "; missing: " + listed(missing);
  if (!unexpected.empty()) problem += "; not in the model: " + listed(unexpected);
  if (!misshapen.empty()) problem += "; of another shape: " + listed(misshapen);
  require(problem.empty(), from, " don't fit this model", problem);
  for (const NamedTensor& own : state) {
    kernels::copy_into(own.tensor, given.at(own.name));
    own.tensor.node().storage->bump_version();
  }
}

}  // namespace

void save(const ModuleBase& model, const std::string& path, const std::map<std::string, std::string>& metadata) {
  io::save_safetensors(path, state_of(model), metadata);
}

std::map<std::string, std::string> load(const ModuleBase& model, const std::string& path) {
  const io::SafetensorsFile file = io::load_safetensors(path);
  assign(model, file.tensors, "the tensors in " + path);
  return file.metadata;
}

void load(const ModuleBase& model, const std::vector<NamedTensor>& values) { assign(model, values, "the tensors"); }

void load(const ModuleBase& model, const ModuleBase& source) { assign(model, state_of(source), "the other network's tensors"); }

}  // namespace scry::nn
