#include <scry/optim/clip_value.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/rule.hpp>
#include <algorithm>
#include <array>

namespace scry::optim {
namespace {

constexpr std::array clip_value_fields{field<&ClipValueOptions::max_value>("max_value")};

class ClipValueRule final : public RuleOf<ClipValueOptions> {
 public:
  explicit ClipValueRule(const ClipValueOptions& options) : RuleOf("clip_value", clip_value_fields, options) {}

  bool reduce(StepInput& step) override {
    for (size_t i = 0; i < step.rows.size(); ++i) step.rows[i].limit = std::min(step.rows[i].limit, options(step.table.rows[i]).max_value);
    return UpdateRule::reduce(step);
  }
};

}  // namespace

ClipValue::ClipValue(Optimizer&& inner, const ClipValueOptions& options) : Optimizer(std::move(inner), std::make_unique<ClipValueRule>(options)) {}

OptimizerKind clip_value_kind() { return kind_of<ClipValue, clip_value_fields>("clip_value"); }

}  // namespace scry::optim
