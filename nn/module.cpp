#include <cxxabi.h>

#include <scry/nn/module_state.hpp>
#include <algorithm>
#include <cstdlib>
#include <unordered_set>

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

// "nn.ReLU" for the library's own.
std::string readable(const std::type_info& type) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string out = status == 0 ? demangled : type.name();
  std::free(demangled);
  constexpr std::string_view own = "scry::nn::";
  return out.starts_with(own) && out.find(':', own.size()) == std::string::npos ? "nn." + out.substr(own.size()) : out;
}

std::string description_of(const ModuleState& state) {
  std::string own = state.objects.empty() ? "" : state.kind.describe(*state.objects.front());
  return own.empty() ? readable(state.kind.type) : own;
}

}  // namespace

ModuleBase::ModuleBase(const ModuleKind& kind) : state_(std::make_shared<ModuleState>(kind)) {}

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
  std::unordered_set<const TensorNode*> seen;
  int64_t count = 0;
  for (const Tensor& parameter : parameters())
    if (seen.insert(&parameter.node()).second) count += parameter.numel();
  return count;
}

void ModuleBase::train(bool on) const { set_training(*state_, on); }
bool ModuleBase::training() const { return state_->training; }

std::string ModuleBase::path() const {
  std::string out = state_->name;
  for (auto parent = state_->parent.lock(); parent; parent = parent->parent.lock())
    if (!parent->name.empty()) out = parent->name + "." + out;
  return out;
}

std::string ModuleBase::description() const { return description_of(*state_); }
const std::type_info& ModuleBase::type() const { return state_->kind.type; }

std::string ModuleBase::where() const {
  const std::string at = path();
  return at.empty() ? description() : at + " (" + description() + ")";
}

void ModuleBase::rethrow_from_here(const Error& error) const {
  if (error.located()) throw;
  throw Error(where(), error);
}

std::vector<ModuleBase> ModuleBase::children() const {
  std::vector<ModuleBase> out;
  for (const auto& child : state_->children) out.push_back(ModuleBase(child));
  return out;
}

void ModuleBase::apply(const std::function<void(const ModuleBase&)>& visit) const {
  visit(*this);
  for (const ModuleBase& child : children()) child.apply(visit);
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

void ModuleBase::enter() {
  const std::lock_guard lock(state_->guard);
  state_->objects.push_back(this);
}

void ModuleBase::leave() noexcept {
  const std::lock_guard lock(state_->guard);
  auto& objects = state_->objects;
  objects.erase(std::find(objects.rbegin(), objects.rend(), this).base() - 1);
}

const ModuleBase& ModuleBase::member() const {
  require(!state_->objects.empty(), "module: '", path(), "' is no more than a handle; keep the model itself as long as its parts are used");
  return *state_->objects.front();
}

ModuleBase ModuleBase::part(std::string_view name) const {
  std::shared_ptr<ModuleState> at = state_;
  for (std::string_view rest = name; !rest.empty();) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    const auto found = std::find_if(at->children.begin(), at->children.end(), [&](const auto& child) { return child->name == rest.substr(0, dot); });
    if (found == at->children.end()) {
      std::string names;
      for (const auto& child : at->children) names += (names.empty() ? "" : ", ") + child->name;
      fail("module: there is no part '", name, "'; the parts of ", description_of(*at), " are: ", names.empty() ? "none" : names);
    }
    at = *found;
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return ModuleBase(at);
}

void ModuleBase::replace(std::string_view name, const ModuleBase& fresh) { replace_part(part(name), fresh); }

void ModuleBase::replace_part(const ModuleBase& old, const ModuleBase& fresh) {
  const std::shared_ptr<ModuleState> part = old.state_, parent = part->parent.lock();
  bool below = false;
  for (auto above = parent; above; above = above->parent.lock()) below |= above == state_;
  require(below, "replace: ", old.where(), " is no part of this model; it must be one that was declared with add()");
  require(fresh.state_->parent.expired(), "replace: the new module is part of a network already, as '", fresh.path(), "'");
  for (auto above = parent; above; above = above->parent.lock()) require(above != fresh.state_, "replace: the new module can't be a part of itself");
  require(fresh.type() == part->kind.type, "replace: ", old.where(), " can't become a ", fresh.description(), ", which is of another type");
  const ModuleBase& source = fresh.member();
  *std::find(parent->children.begin(), parent->children.end(), part) = fresh.state_;
  fresh.state_->name = part->name;
  fresh.state_->parent = parent;
  set_training(*fresh.state_, part->training);
  part->parent.reset();
  const std::vector<ModuleBase*> objects = part->objects;
  for (ModuleBase* object : objects) part->kind.reseat(*object, source);
}

}  // namespace scry::nn
