// What a module does with all its tensors at once.

#include <fnmatch.h>

#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/nn/module.hpp>
#include <scry/nn/weights.hpp>

namespace scry::nn {
namespace {

int64_t set_trained(const ModuleBase& model, const std::string& pattern, bool on) {
  const std::vector<NamedTensor> parameters = model.named_parameters();
  int64_t count = 0;
  for (const NamedTensor& parameter : parameters) {
    if (fnmatch(pattern.c_str(), parameter.name.c_str(), 0) != 0) continue;
    parameter.tensor.requires_grad_(on);
    ++count;
  }
  if (count > 0) return count;
  std::string names;
  for (size_t i = 0; i < parameters.size() && i < 8; ++i) names += (i ? ", " : "") + parameters[i].name;
  fail(on ? "unfreeze" : "freeze", ": no parameter is named like '", pattern, "'; there are: ", names.empty() ? "none" : names,
       parameters.size() > 8 ? ", …" : "");
}

// The tensor itself, so that every copy follows.
void convert(const Tensor& x, DType dtype) {
  const Tensor converted = kernels::cast(x, dtype);
  TensorNode &node = x.node(), &from = converted.node();
  // A graph that has saved the old values must notice.
  while (from.storage->version() <= node.storage->version()) from.storage->bump_version();
  node.storage = from.storage;
  node.offset = from.offset;
  node.strides = from.strides;
  node.contiguous = from.contiguous;
  node.dtype = dtype;
  if (autograd::Leaf* leaf = autograd::leaf_of(x)) {
    leaf->dtype = dtype;
    leaf->gradient = {};
  }
}

}  // namespace

int64_t ModuleBase::freeze(const std::string& pattern) const { return set_trained(*this, pattern, false); }
int64_t ModuleBase::unfreeze(const std::string& pattern) const { return set_trained(*this, pattern, true); }

void ModuleBase::to(DType dtype) const {
  require(is_floating(dtype), "to: a network computes in f32 or f64, not in ", dtype);
  std::vector<NamedTensor> tensors = named_parameters();
  for (NamedTensor& buffer : named_buffers())
    if (is_floating(buffer.tensor.dtype())) tensors.push_back(std::move(buffer));
  for (const NamedTensor& named : tensors)
    require(!named.tensor.node().storage->arena(), "to: '", named.name, "' is in a registry and keeps its type; convert before registering");
  for (const NamedTensor& named : tensors)
    if (named.tensor.dtype() != dtype) convert(named.tensor, dtype);
}

void ModuleBase::load(const ModuleBase& source) const { nn::load(*this, source); }

}  // namespace scry::nn
