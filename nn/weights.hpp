#pragma once

#include <scry/nn/module.hpp>
#include <map>

namespace scry::nn {

/// Writes the parameters and buffers as a safetensors file under their names (PyTorch's state_dict names, for modules named as there), atomically.
/// `metadata` is free text that the file carries.
void save(const ModuleBase& model, const std::string& path, const std::map<std::string, std::string>& metadata = {});

/// Reads values for all parameters and buffers from a safetensors file, converting to the model's element types, and returns its metadata.
/// Names that are missing or left over, and shapes that differ, are an Error that lists them; nothing is changed then.
std::map<std::string, std::string> load(const ModuleBase& model, const std::string& path);

/// The same from tensors by name, as they were read from a file.
void load(const ModuleBase& model, const std::vector<NamedTensor>& values);

/// The same from another network's parameters and buffers: `load(target, source)` copies the values.
void load(const ModuleBase& model, const ModuleBase& source);

}  // namespace scry::nn
