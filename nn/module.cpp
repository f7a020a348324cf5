#include <cxxabi.h>

#include <scry/nn/module.hpp>
#include <cstdlib>

namespace scry::nn {
namespace {

using Tensors = std::vector<NamedTensor> ModuleState::*;

void collect(const ModuleState& state, const std::string& prefix, Tensors which, std::vector<NamedTensor>& out) {
  for (const NamedTensor& own : state.*which) out.push_back({prefix + own.name, own.tensor});
  for (const auto& child : state.children) collect(*child, prefix + child->name + ".", which, out);
}

void set_training(ModuleState& state, bool on) {
  state.training = on;
  for (const auto& child : state.children) set_training(*child, on);
}

void check_name(const ModuleState& state, const std::string& name) {
  require(!name.empty() && name.find('.') == std::string::npos, "module: '", name, "' is no name for a part: it may not be empty or hold a dot");
  bool taken = false;
  for (const auto& child : state.children) taken |= child->name == name;
  for (const NamedTensor& own : state.parameters) taken |= own.name == name;
  for (const NamedTensor& own : state.buffers) taken |= own.name == name;
  require(!taken, "module: the name '", name, "' is given twice");
}

std::string demangled(const char* name) {
  int status = 0;
  char* readable = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string out = status == 0 ? readable : name;
  std::free(readable);
  return out;
}

}  // namespace

std::vector<NamedTensor> ModuleBase::named_parameters() const {
  std::vector<NamedTensor> out;
  collect(*state_, "", &ModuleState::parameters, out);
  return out;
}

std::vector<NamedTensor> ModuleBase::named_buffers() const {
  std::vector<NamedTensor> out;
  collect(*state_, "", &ModuleState::buffers, out);
  return out;
}

std::vector<Tensor> ModuleBase::parameters() const {
  std::vector<Tensor> out;
  for (NamedTensor& named : named_parameters()) out.push_back(std::move(named.tensor));
  return out;
}

int64_t ModuleBase::parameter_count() const {
  int64_t count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

void ModuleBase::train(bool on) const { set_training(*state_, on); }

std::string ModuleBase::path() const {
  std::string out = state_->name;
  for (auto parent = state_->parent.lock(); parent; parent = parent->parent.lock())
    if (!parent->name.empty()) out = parent->name + "." + out;
  return out;
}

Tensor ModuleBase::parameter(std::string name, const Tensor& value) const {
  check_name(*state_, name);
  state_->parameters.push_back({std::move(name), value.requires_grad_()});
  return value;
}

Tensor ModuleBase::buffer(std::string name, const Tensor& value) const {
  check_name(*state_, name);
  state_->buffers.push_back({std::move(name), value});
  return value;
}

void ModuleBase::add_child(std::string name, const ModuleBase& child) const {
  check_name(*state_, name);
  for (auto above = state_; above; above = above->parent.lock()) require(above != child.state_, "module: '", name, "' can't be a part of itself");
  require(child.state_->parent.expired(), "module: '", name, "' is part of a network already, as '", child.path(), "'");
  child.state_->name = std::move(name);
  child.state_->parent = state_;
  state_->children.push_back(child.state_);
}

void ModuleBase::replace_child(const ModuleBase& child, const ModuleBase& fresh) const {
  for (auto& part : state_->children) {
    if (part != child.state_) continue;
    require(fresh.state_->parent.expired(), "replace: the new module is part of a network already, as '", fresh.path(), "'");
    fresh.state_->name = part->name;
    fresh.state_->parent = state_;
    set_training(*fresh.state_, part->training);
    part->parent.reset();
    part = fresh.state_;
    return;
  }
  fail("replace: the module is no direct part of this one; it must be a member that was declared with add()");
}

std::string ModuleBase::where(const std::type_info& type, std::string description) const {
  if (description.empty()) description = demangled(type.name());
  const std::string at = path();
  return at.empty() ? description : at + " (" + description + ")";
}

}  // namespace scry::nn
