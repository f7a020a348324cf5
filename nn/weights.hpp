#pragma once

#include <scry/nn/module.hpp>
#include <map>

namespace scry::nn {

/// Writes the parameters and buffers under their names, which for modules named as in PyTorch are those of its state_dict, atomically: as a NumPy
/// archive where the path ends in ".npz", else as a safetensors file, which may carry `metadata`, free text.
void save(const ModuleBase& model, const std::string& path, const std::map<std::string, std::string>& metadata = {});

struct LoadOptions {
  bool strict = true;  ///< names that are missing or left over are an Error; else they are only listed
};

/// What load() has found.
struct Loaded {
  std::vector<std::string> missing;             ///< the model's names without a value, which keep theirs
  std::vector<std::string> unexpected;          ///< names that the model hasn't
  std::map<std::string, std::string> metadata;  ///< of a safetensors file
};

/// Reads values for the parameters and buffers from a safetensors or .npz file, whichever it is, converting to the model's element types. Of
/// parameters that share a tensor one name is enough. Shapes that differ are an Error, and, unless told otherwise, so are names that are
/// missing or left over; it lists them, and nothing is changed then.
Loaded load(const ModuleBase& model, const std::string& path, const LoadOptions& options = {});

/// The same from tensors by name, as they were read from a file.
Loaded load(const ModuleBase& model, const std::vector<NamedTensor>& values, const LoadOptions& options = {});

/// The same from another network's parameters and buffers: `load(target, source)` copies the values.
Loaded load(const ModuleBase& model, const ModuleBase& source, const LoadOptions& options = {});

}  // namespace scry::nn
