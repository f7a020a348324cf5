#include <scry/nn/module_state.hpp>
#include <algorithm>

namespace scry::nn {
namespace {

HookHandle add_hook(const std::shared_ptr<ModuleState>& state, bool before, ModuleHook hook) {
  require(static_cast<bool>(hook), "module: a hook must be a function");
  state->hooks.push_back({state->next_hook, before, std::move(hook)});
  return {state, state->next_hook++};
}

}  // namespace

void HookHandle::remove() const {
  if (const auto state = module_.lock()) std::erase_if(state->hooks, [&](const Hook& hook) { return hook.id == id_; });
}

HookHandle ModuleBase::register_forward_pre_hook(ModuleHook hook) const { return add_hook(state_, true, std::move(hook)); }
HookHandle ModuleBase::register_forward_hook(ModuleHook hook) const { return add_hook(state_, false, std::move(hook)); }

bool ModuleBase::hooked() const { return !state_->hooks.empty(); }

void ModuleBase::run_hooks(bool before, std::span<Tensor> inputs, std::span<Tensor> outputs) const {
  const std::vector<Hook> hooks = state_->hooks;  // one may remove itself
  for (const Hook& hook : hooks)
    if (hook.before == before) hook.call({*this, inputs, outputs});
}

}  // namespace scry::nn
