#include <scry/optim/ema.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/rule.hpp>
#include <scry/optim/swa.hpp>
#include <algorithm>
#include <array>
#include <cstring>

namespace scry::optim {
namespace {

// How the weights after a row's t-th step count in its average: average ← average + rate (w − average). 1 takes them as they are, 0 leaves them out.
template <class Options>
using AverageRate = double (*)(const Options&, double t);

// A rule that keeps an average of the weights beside those that the rule inside steps.
template <class Options, AverageRate<Options> rate>
class AverageRule final : public RuleOf<Options> {
 public:
  AverageRule(std::string_view name, std::span<const Field<Options>> fields, const Options& options) : RuleOf<Options>(name, fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    average_ = registry.add_slot(prefix + "/average", SlotRole::weights, SlotKind::elementwise);
    step_ = registry.add_slot(prefix + "/step", SlotRole::step, SlotKind::per_row);
    this->slots_ = {average_, step_};
  }
  void fill_slots(const RegistryState& registry, int32_t segment) override {
    const auto s = static_cast<size_t>(segment);
    const Ref<Storage>& values = registry.segments[s].values;
    if (values->bytes()) std::memcpy(average_->arenas[s]->data(), values->data(), values->bytes());
  }

  void prepare(const StepInput& step) override {
    UpdateRule::prepare(step);
    rates_.assign(step.rows.size(), 0);
    for (size_t i = 0; i < step.rows.size(); ++i)
      if (step.rows[i].state != RowState::outside) rates_[i] = rate(this->options(step.table.rows[i]), ++step_->numbers[i]);
  }
  bool moves(size_t row, RowState state) const override { return rates_[row] != 0 || UpdateRule::moves(row, state); }
  bool alike(size_t a, size_t b) const override { return rates_[a] == rates_[b] && UpdateRule::alike(a, b); }
  void update(const Chunk& chunk) const override {
    UpdateRule::update(chunk);
    if (!UpdateRule::defers()) count(chunk);
  }
  void settle(const Chunk& chunk) const override {
    UpdateRule::settle(chunk);
    count(chunk);
  }

  const Slot* averaged_weights() const override { return average_.get(); }
  void reset(const Chunk& chunk) const override {
    UpdateRule::reset(chunk);
    if (chunk.lies_in(*average_)) take(chunk);
  }
  void finish(const Chunk& chunk) const override {
    std::memcpy(chunk.weights, chunk.in(*average_), chunk.bytes());
    this->inner()->rebase(chunk);
  }
  void finish_row(size_t row) override {
    UpdateRule::finish_row(row);
    step_->numbers[row] = 0;
  }

 private:
  void take(const Chunk& chunk) const { std::memcpy(chunk.in(*average_), chunk.weights, chunk.bytes()); }
  void count(const Chunk& chunk) const {
    if (const double r = rates_[chunk.row]; r == 1)
      take(chunk);
    else if (r != 0)
      dispatch_chunk(chunk, [&]<class T>() {
        const T* const w = reinterpret_cast<const T*>(chunk.weights);
        T* const average = reinterpret_cast<T*>(chunk.in(*average_));
        const T share = static_cast<T>(r);
#pragma GCC ivdep
        for (int64_t i = 0; i < chunk.count; ++i) average[i] += share * (w[i] - average[i]);
      });
  }

  std::shared_ptr<Slot> average_, step_;
  std::vector<double> rates_;  // by row
};

// Which of the weights that count those after t steps are, from 0 on; negative where they don't count.
double counted(double t, int64_t start, int64_t every) {
  const double since = t - static_cast<double>(start), n = since / static_cast<double>(every);
  return since >= 0 && n == std::floor(n) ? n : -1;
}

constexpr std::array ema_fields{
    field<&EMAOptions::decay>("decay", decay_rate),
    identity(field<&EMAOptions::every>("every", {1, 1e15})),
    identity(field<&EMAOptions::start>("start", {0, 1e15})),
    identity(field<&EMAOptions::warmup>("warmup")),
};

double ema_rate(const EMAOptions& o, double t) {
  if (t <= static_cast<double>(o.start)) return 1;
  const double n = counted(t, o.start, o.every);
  return n < 0 ? 0 : 1 - (o.warmup ? std::min(o.decay, (1 + n) / (10 + n)) : o.decay);
}

constexpr std::array swa_fields{identity(field<&SWAOptions::start>("start", {0, 1e15})), identity(field<&SWAOptions::every>("every", {1, 1e15}))};

double swa_rate(const SWAOptions& o, double t) {
  if (t <= static_cast<double>(o.start)) return 1;
  const double n = counted(t, o.start, o.every);
  return n < 0 ? 0 : 1 / (n + 1);
}

}  // namespace

EMA::EMA(Optimizer&& inner, const EMAOptions& options)
    : Optimizer(std::move(inner), std::make_unique<AverageRule<EMAOptions, ema_rate>>("ema", ema_fields, options)) {}

OptimizerKind ema_kind() { return kind_of<EMA, ema_fields>("ema"); }

SWA::SWA(Optimizer&& inner, const SWAOptions& options)
    : Optimizer(std::move(inner), std::make_unique<AverageRule<SWAOptions, swa_rate>>("swa", swa_fields, options)) {}

OptimizerKind swa_kind() { return kind_of<SWA, swa_fields>("swa"); }

}  // namespace scry::optim
