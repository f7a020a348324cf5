#pragma once

#include <scry/nn/module.hpp>
#include <mutex>

namespace scry::nn {

struct Hook {
  int64_t id;
  bool before;
  ModuleHook call;
};

/// What all copies of a module share. For module*.cpp only.
struct ModuleState {
  const ModuleKind& kind;
  std::string name;                   // as the parent calls it
  std::weak_ptr<ModuleState> parent;  // empty for a whole model
  std::vector<NamedTensor> parameters, buffers;
  std::vector<std::shared_ptr<ModuleState>> children;
  std::vector<Hook> hooks;
  int64_t next_hook = 0;
  bool training = true;

  std::mutex guard;                  // of the objects: copies are made and destroyed in any thread
  std::vector<ModuleBase*> objects;  // the handles that are complete modules of this kind
};

}  // namespace scry::nn
