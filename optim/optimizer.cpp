#include <scry/core/kernels/copy.hpp>
#include <scry/optim/engine.hpp>
#include <scry/optim/optimizer.hpp>

namespace scry::optim {

Evaluation::Evaluation(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {
  require(engine_ != nullptr, "optimizer: this one was moved from");
  engine_->begin_evaluation();
}

Evaluation::Evaluation(std::shared_ptr<Engine> engine, FunctionRef<void()> recompute) : Evaluation(std::move(engine)) {
  random_ = default_generator();
  for (const Row& row : engine_->registry().rows())
    if (row.role == RowRole::buffer) buffers_.push_back(kernels::clone(row.value.detach()));
  recompute();
}

Evaluation::~Evaluation() {
  if (random_) default_generator() = *random_;
  auto saved = buffers_.begin();
  for (const Row& row : engine_->registry().rows()) {
    if (row.role != RowRole::buffer || saved == buffers_.end()) continue;
    kernels::copy_into(row.value, *saved++);
    row.value.node().storage->bump_version();
  }
  engine_->end_evaluation();
}

Optimizer::Optimizer(const Registry& registry, std::unique_ptr<UpdateRule> rule, const std::vector<Group>& groups)
    : engine_(std::make_shared<Engine>(registry, std::move(rule))) {
  for (const Group& group : groups) engine_->add_group(group);
}

Optimizer::Optimizer(Optimizer&& inner, std::unique_ptr<UpdateRule> wrapper) {
  inner.engine().wrap(std::move(wrapper));
  engine_ = std::move(inner.engine_);
}

Engine& Optimizer::engine() const {
  require(engine_ != nullptr, "optimizer: this one was moved from");
  return *engine_;
}

bool Optimizer::step() { return engine().step(); }
void Optimizer::finish() { engine().finish(); }
int64_t Optimizer::steps() const { return engine().steps(); }
const Registry& Optimizer::registry() const { return engine().registry(); }

std::vector<std::string> Optimizer::skipped() const {
  std::vector<std::string> names;
  const auto inputs = engine().inputs();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (const Row& row = registry().rows()[i]; inputs[i].state == RowState::idle && row.value.requires_grad()) names.push_back(row.name);
  return names;
}

void Optimizer::report_skipped_to(void (*reporter)(const std::string&)) const { engine().report_to(reporter); }

double Optimizer::get(std::string_view option, std::string_view group) const {
  const auto [rule, index] = engine().find_option(option);
  return rule->options_table().values(registry().state().find_group(group))[index];
}

void Optimizer::set(std::string_view option, double value, std::string_view group) {
  const auto [rule, index] = engine().find_option(option);
  rule->set(index, value, registry().state().find_group(group));
}

void Optimizer::add_group(const std::string& pattern, const std::vector<OptionValue>& options) { engine().add_group({pattern, options}); }

std::span<const std::string> Optimizer::groups() const { return std::span(registry().state().groups).subspan(1); }

std::string Optimizer::expression() const { return engine().expression(); }

}  // namespace scry::optim
