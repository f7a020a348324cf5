#pragma once

#include <scry/autograd/observer.hpp>
#include <string>
#include <unordered_map>

namespace scry {

struct AnomalyOptions {
  bool infinity = true;  ///< also look for infinities; false where they are meant, as in attention's masks
};

/// While one lives, the first NaN or infinity that an op of this thread computes, or that a rule of backward passes on, is an Error at that moment.
/// It names the op, the module that called it (in backward: that called it in forward, if this lived then), the place in the tensor, and the rows of
/// a registry that were the op's inputs, or whose gradient it is. Costs a look at every value.
class AnomalyMode : public autograd::Observer {
 public:
  explicit AnomalyMode(AnomalyOptions options = {}) : options_(options) {}

 private:
  void computed(const char* op, const Tensor& y, int64_t start) override;
  void rule_begins(const autograd::Node& node) override { rule_ = &node; }
  void rule_ends(const autograd::Node&, int64_t) override { rule_ = nullptr; }
  void passed_on(const autograd::Node& from, const autograd::Node& to, const Tensor& gradient) override;

  std::string found_in(const Tensor& x) const;
  std::string origin(const autograd::Node& node) const;

  AnomalyOptions options_;
  const autograd::Node* rule_ = nullptr;                           // that runs
  std::unordered_map<const autograd::Node*, std::string> places_;  // where the nodes were recorded, by module
};

}  // namespace scry
