#include <scry/optim/kinds.hpp>
#include <scry/optim/loss_scale.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

constexpr double least = 1e-30, most = 1e30;
constexpr std::array loss_scale_fields{
    shared(field<&LossScaleOptions::scale>("scale", {least, most})),
    shared(field<&LossScaleOptions::growth_factor>("growth_factor", {1})),
    shared(field<&LossScaleOptions::backoff_factor>("backoff_factor", fraction)),
    shared(field<&LossScaleOptions::growth_interval>("growth_interval", {1, 1e15})),
};

// 0 as long as all elements are finite, else NaN.
constexpr auto nothing = [](Piece& piece) {
  dispatch_chunk(piece.chunk, [&]<class T>() {
    piece.sums[0] = lane_sum(
        piece.chunk.count, [](double g) { return g * 0; }, reinterpret_cast<const T*>(piece.chunk.gradients));
  });
};

class LossScaleRule final : public RuleOf<LossScaleOptions> {
 public:
  explicit LossScaleRule(const LossScaleOptions& options) : RuleOf("loss_scale", loss_scale_fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    slots_ = {registry.add_slot(prefix + "/good_steps", SlotRole::step, SlotKind::whole)};
  }

  bool reduce(StepInput& step) override {
    const LossScaleOptions o = options();
    double& good = slots_[0]->numbers[0];
    double sum = 0;
    for (const Piece& piece : pieces_.run(step, nothing)) sum += piece.sums[0];
    if (sum != 0) {  // NaN
      good = 0;
      scale(o.scale * o.backoff_factor);
      return false;
    }
    for (RowInput& row : step.rows) {
      row.scale /= o.scale;
      row.limit /= o.scale;
    }
    if (++good >= static_cast<double>(o.growth_interval)) {
      good = 0;
      scale(o.scale * o.growth_factor);  // from the next step on
    }
    return UpdateRule::reduce(step);
  }

 private:
  void scale(double value) { set(0, std::clamp(value, least, most), 0); }

  Pieces pieces_;
};

}  // namespace

LossScale::LossScale(Optimizer&& inner, const LossScaleOptions& options) : Optimizer(std::move(inner), std::make_unique<LossScaleRule>(options)) {}

OptimizerKind loss_scale_kind() { return kind_of<LossScale, loss_scale_fields>("loss_scale"); }

}  // namespace scry::optim
