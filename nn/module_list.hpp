#pragma once

#include <scry/nn/module.hpp>

namespace scry::nn {

/// Modules of one type, named "0", "1", … by position: `nn::ModuleList<nn::Linear> layers = add("layers", nn::ModuleList<nn::Linear>{…});`
/// It isn't called itself; its owner runs through it.
template <class Part>
class ModuleList : public Module<ModuleList<Part>> {
 public:
  ModuleList(std::initializer_list<Part> parts = {}) {
    for (const Part& part : parts) push_back(part);
  }

  /// Adds a part at the end.
  void push_back(const Part& part) const { parts_->push_back(this->add(std::to_string(size()), part)); }
  size_t size() const { return parts_->size(); }
  const Part& operator[](size_t i) const {
    require(i < size(), "nn.ModuleList: there is no part ", i, " of ", size());
    return (*parts_)[i];
  }
  auto begin() const { return parts_->cbegin(); }
  auto end() const { return parts_->cend(); }
  std::string describe() const { return text("nn.ModuleList of ", size()); }

 private:
  std::shared_ptr<std::vector<Part>> parts_ = std::make_shared<std::vector<Part>>();
};

}  // namespace scry::nn
