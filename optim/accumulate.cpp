#include <scry/optim/accumulate.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

constexpr std::array accumulate_fields{identity(shared(field<&AccumulateOptions::n>("n", {1, 1e15}))),
                                       identity(shared(field<&AccumulateOptions::mean>("mean")))};

class AccumulateRule final : public RuleOf<AccumulateOptions> {
 public:
  explicit AccumulateRule(const AccumulateOptions& options) : RuleOf("accumulate", accumulate_fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    slots_ = {registry.add_slot(prefix + "/sum", SlotRole::gradients, SlotKind::elementwise),
              registry.add_slot(prefix + "/gradients", SlotRole::step, SlotKind::per_row),
              registry.add_slot(prefix + "/calls", SlotRole::step, SlotKind::whole)};
  }

  bool reduce(StepInput& step) override {
    auto& counts = slots_[1]->numbers;  // gradients in a row's sum
    pieces_.run(step, [&](Piece& piece) {
      dispatch_chunk(piece.chunk, [&]<class T>() {
        const T* const g = reinterpret_cast<const T*>(piece.chunk.gradients);
        T* const sum = reinterpret_cast<T*>(piece.chunk.in(*slots_[0]));
        const bool first = counts[piece.chunk.row] == 0;
#pragma GCC ivdep
        for (int64_t i = 0; i < piece.chunk.count; ++i) sum[i] = (first ? T{0} : sum[i]) + piece.input.read(g[i]);
      });
    });
    for (size_t i = 0; i < step.rows.size(); ++i) counts[i] += step.rows[i].state == RowState::stepped ? 1 : 0;
    double& calls = slots_[2]->numbers[0];
    if (++calls < static_cast<double>(options().n)) return false;
    const double scale = options().mean ? 1 / calls : 1;
    for (size_t i = 0; i < step.rows.size(); ++i) {
      if (step.rows[i].state != RowState::outside)
        step.rows[i] = {counts[i] > 0 ? RowState::stepped : RowState::idle, scale, std::numeric_limits<double>::infinity()};
      counts[i] = 0;
    }
    calls = 0;
    step.gradients = slots_[0].get();
    return UpdateRule::reduce(step);
  }

 private:
  Pieces pieces_;
};

}  // namespace

Accumulate::Accumulate(Optimizer&& inner, const AccumulateOptions& options)
    : Optimizer(std::move(inner), std::make_unique<AccumulateRule>(options)) {}

OptimizerKind accumulate_kind() { return kind_of<Accumulate, accumulate_fields>("accumulate"); }

}  // namespace scry::optim
