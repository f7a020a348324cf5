#include <scry/optim/engine.hpp>
#include <scry/optim/json.hpp>
#include <scry/optim/trace.hpp>

namespace scry::optim {
namespace {

double value_at(DType dtype, const std::byte* memory, int64_t element) {
  return dtype == f32 ? static_cast<double>(reinterpret_cast<const float*>(memory)[element]) : reinterpret_cast<const double*>(memory)[element];
}

}  // namespace

class Trace::Recorder final : public StepObserver {
 public:
  Recorder(std::shared_ptr<Engine> engine, std::vector<TracedElement> elements) : engine_(std::move(engine)), elements_(std::move(elements)) {
    for (const TracedElement& each : elements_) {
      rows_.push_back(engine_->registry().state().find(each.parameter));
      const Row& row = row_of(rows_.size() - 1);
      require(row.role == RowRole::parameter, "trace: '", each.parameter, "' is a buffer");
      require(each.element >= 0 && each.element < row.value.numel(), "trace: '", each.parameter, "' has ", row.value.numel(), " elements, no ",
              each.element);
    }
    engine_->observe(this);
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder() { engine_->observe(nullptr); }

  void before_update(std::span<const Chunk> chunks) override {
    first_ = steps_.size();
    for (size_t i = 0; i < elements_.size(); ++i) {
      const Row& row = row_of(i);
      const int64_t at = row.offset + elements_[i].element;
      TracedStep step{engine_->steps() + 1, i, weight(i), 0, {}, {}, {}};
      for (const Chunk& chunk : chunks) {
        if (chunk.segment != row.segment || at < chunk.offset || at >= chunk.offset + chunk.count) continue;
        if (chunk.has_gradient) step.gradient = value_at(chunk.dtype, chunk.gradients, at - chunk.offset);
        TracedTerms terms{chunk.dtype == f32, step.before};
        engine_->rule().trace(chunk, at - chunk.offset, terms);
        step.terms = std::move(terms.terms);
      }
      steps_.push_back(std::move(step));
    }
  }

  void after_update() override {
    for (size_t i = first_; i < steps_.size(); ++i) {
      steps_[i].after = weight(steps_[i].element);
      steps_[i].slots = slots(steps_[i].element);
    }
  }

  const Engine& engine() const { return *engine_; }
  const std::vector<TracedElement>& elements() const { return elements_; }
  std::vector<TracedStep>& steps() { return steps_; }

 private:
  const Row& row_of(size_t element) const { return engine_->registry().rows()[rows_[element]]; }
  double weight(size_t element) const {
    const Row& row = row_of(element);
    return value_at(row.value.dtype(), static_cast<const std::byte*>(row.value.raw()), elements_[element].element);
  }
  std::vector<std::pair<std::string, double>> slots(size_t element) const {
    const Row& row = row_of(element);
    std::vector<std::pair<std::string, double>> values;
    for (const auto& slot : engine_->registry().state().slots()) {
      if (slot->kind != SlotKind::elementwise)
        values.emplace_back(slot->name, slot->numbers[slot->kind == SlotKind::per_row ? rows_[element] : 0]);
      else if (covers(*slot, row))
        values.emplace_back(
            slot->name, value_at(row.value.dtype(), slot->arenas[static_cast<size_t>(row.segment)]->data(), row.offset + elements_[element].element));
    }
    return values;
  }

  std::shared_ptr<Engine> engine_;
  std::vector<TracedElement> elements_;
  std::vector<size_t> rows_;
  std::vector<TracedStep> steps_;
  size_t first_ = 0;  // of the step that is being taken
};

Trace::Trace(Optimizer& optimizer, std::vector<TracedElement> elements)
    : recorder_(std::make_unique<Recorder>(optimizer.engine().shared_from_this(), std::move(elements))) {}
Trace::~Trace() = default;

const std::vector<TracedStep>& Trace::steps() const { return recorder_->steps(); }

void Trace::clear() { recorder_->steps().clear(); }

std::string Trace::json() const { return to_json(recorder_->engine().expression(), recorder_->elements(), recorder_->steps()); }

}  // namespace scry::optim
