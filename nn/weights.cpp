#include <scry/core/io/file.hpp>
#include <scry/core/io/npz.hpp>
#include <scry/core/io/safetensors.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/nn/weights.hpp>
#include <set>

namespace scry::nn {
namespace {

std::vector<NamedTensor> state_of(const ModuleBase& model) {
  std::vector<NamedTensor> state = model.named_parameters();
  for (NamedTensor& buffer : model.named_buffers()) state.push_back(std::move(buffer));
  return state;
}

// Up to five of the names after `title`, for an error; nothing where there are none.
std::string listed(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string out = text("; ", title, ": ");
  for (size_t i = 0; i < names.size() && i < 5; ++i) out += (i ? ", " : "") + names[i];
  return names.size() > 5 ? text(out, " and ", names.size() - 5, " more") : out;
}

// Nothing is changed before everything fits.
Loaded assign(const ModuleBase& model, const std::vector<NamedTensor>& values, const std::string& from, const LoadOptions& options) {
  std::map<std::string_view, Tensor> given;
  for (const NamedTensor& value : values) require(given.emplace(value.name, value.tensor).second, from, " hold '", value.name, "' twice");
  Loaded out;
  std::vector<std::string> misshapen;
  std::vector<std::pair<Tensor, Tensor>> assignments;
  std::set<const TensorNode*> filled;
  const std::vector<NamedTensor> state = state_of(model);
  for (const NamedTensor& own : state) {
    const auto found = given.find(own.name);
    if (found == given.end()) continue;
    if (found->second.shape() != own.tensor.shape())
      misshapen.push_back(text(own.name, " (", found->second.shape(), " instead of ", own.tensor.shape(), ")"));
    assignments.emplace_back(own.tensor, found->second);
    filled.insert(&own.tensor.node());
    given.erase(found);
  }
  for (const NamedTensor& own : state)
    if (!filled.contains(&own.tensor.node())) out.missing.push_back(own.name);
  for (const NamedTensor& value : values)
    if (given.contains(value.name)) out.unexpected.push_back(value.name);
  std::string problem = listed("of another shape", misshapen);
  if (options.strict) problem = listed("missing", out.missing) + listed("not in the model", out.unexpected) + problem;
  require(problem.empty(), from, " don't fit this model", problem);
  for (const auto& [own, value] : assignments) {
    kernels::copy_into(own, value);
    own.node().storage->bump_version();
  }
  return out;
}

bool ends_in_npz(const std::string& path) { return path.ends_with(".npz"); }

// By its first bytes: a zip archive's name its format, and would be the length of an impossibly long header in the other.
bool is_npz(const std::string& path) {
  const io::InputFile file(path);
  uint8_t start[8] = {};
  if (file.size() < sizeof start) return ends_in_npz(path);
  file.read(0, start);
  return start[0] == 'P' && start[1] == 'K' && (start[4] || start[5]);
}

}  // namespace

void save(const ModuleBase& model, const std::string& path, const std::map<std::string, std::string>& metadata) {
  if (!ends_in_npz(path)) return io::save_safetensors(path, state_of(model), metadata);
  require(metadata.empty(), path, ": an .npz file can't carry metadata; a safetensors file can");
  io::save_npz(path, state_of(model));
}

Loaded load(const ModuleBase& model, const std::string& path, const LoadOptions& options) {
  const std::string from = "the tensors in " + path;
  if (is_npz(path)) return assign(model, io::load_npz(path), from, options);
  const io::SafetensorsFile file = io::load_safetensors(path);
  Loaded out = assign(model, file.tensors, from, options);
  out.metadata = file.metadata;
  return out;
}

Loaded load(const ModuleBase& model, const std::vector<NamedTensor>& values, const LoadOptions& options) {
  return assign(model, values, "the tensors", options);
}

Loaded load(const ModuleBase& model, const ModuleBase& source, const LoadOptions& options) {
  return assign(model, state_of(source), "the other network's tensors", options);
}

}  // namespace scry::nn
