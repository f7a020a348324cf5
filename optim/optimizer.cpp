#include <scry/optim/engine.hpp>
#include <scry/optim/optimizer.hpp>

namespace scry::optim {

Evaluation::Evaluation(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {
  require(engine_ != nullptr, "optimizer: this one was moved from");
  engine_->begin_evaluation();
}

Evaluation::~Evaluation() { engine_->end_evaluation(); }

Optimizer::Optimizer(const Registry& registry, std::unique_ptr<UpdateRule> rule) : engine_(std::make_shared<Engine>(registry, std::move(rule))) {}

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
  const auto states = engine().states();
  for (size_t i = 0; i < states.size(); ++i)
    if (const Row& row = registry().rows()[i]; states[i] == RowState::idle && row.value.requires_grad()) names.push_back(row.name);
  return names;
}

double Optimizer::get(std::string_view option) const {
  for (const UpdateRule* rule : engine().chain())
    for (const Hyperparameter& field : rule->hyperparameters())
      if (field.name == option) return field.value;
  fail("optimizer: ", expression(), " has no option '", option, "'");
}

void Optimizer::set(std::string_view option, double value) {
  for (UpdateRule* rule : engine().chain())
    if (rule->set(option, value)) return;
  fail("optimizer: ", expression(), " has no option '", option, "'");
}

std::string Optimizer::expression() const {
  std::string out;
  const auto chain = engine().chain();
  for (const UpdateRule* rule : chain) append_text(out, text(rule->name(), "("));
  for (auto rule = chain.rbegin(); rule != chain.rend(); ++rule) {
    std::string_view separator = (*rule)->inner() ? ", " : "";
    for (const Hyperparameter& field : (*rule)->hyperparameters()) {
      if (field.given == field.usual && field.given == 0) continue;  // what is off is not worth a word
      append_text(out, text(separator, field.name, "=", to_text(field, field.given)));
      separator = ", ";
    }
    out += ")";
  }
  return out;
}

}  // namespace scry::optim
