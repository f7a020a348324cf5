#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <scry/optim/engine.hpp>
#include <algorithm>
#include <cstdio>
#include <limits>

namespace scry::optim {
namespace {

// Small enough that a chunk of every array of a rule stays in a core's cache while wrappers go over it again; streams that start anew more
// often are slower.
constexpr int64_t chunk_bytes = 128 << 10;

// The gradient of `row`, in its window of the arena, or nothing.
bool gradient_in_window(const Row& row, autograd::Leaf* leaf) {
  if (!leaf) return false;
  if (!leaf->window.defined()) {  // thawed since
    leaf->window = row.gradient;
    leaf->name = row.name;
  }
  if (!leaf->gradient.defined()) return false;
  // backward with create_graph leaves a gradient elsewhere: it is on the tape.
  if (leaf->gradient.raw() != row.gradient.raw()) kernels::copy_into(row.gradient, leaf->gradient);
  return true;
}

// Calls function(i) for every row: what one touches has left the caches since the last step, so threads wait for memory side by side.
template <class F>
void for_rows(size_t count, const F& function) {
  parallel_for(static_cast<int64_t>(count), 128, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) function(static_cast<size_t>(i));
  });
}

void print_line(const std::string& message) { std::fprintf(stderr, "%s\n", message.c_str()); }

}  // namespace

Engine::Engine(const Registry& registry, std::unique_ptr<UpdateRule> rule)
    : registry_(registry), table_(registry.state()), rule_(std::move(rule)), reporter_(print_line) {
  table_.attach(this);
  try {
    make_slots();
  } catch (...) {
    table_.detach(this);
    throw;
  }
}

Engine::~Engine() { table_.detach(this); }

void Engine::wrap(std::unique_ptr<UpdateRule> wrapper) {
  require_training("wrap the optimizer");
  wrapper->put_around(std::move(rule_));
  rule_ = std::move(wrapper);
  try {
    make_slots();
  } catch (...) {
    rule_ = rule_->take_inner();
    throw;
  }
}

Engine::FoundOption Engine::find_option(std::string_view name) const {
  const size_t slash = name.find('/');
  const std::string_view option = name.substr(slash == std::string_view::npos ? 0 : slash + 1);
  size_t i = 0;
  for (UpdateRule* rule = rule_.get(); rule; rule = rule->inner(), ++i) {
    if (slash != std::string_view::npos && prefixes()[i] != name.substr(0, slash)) continue;
    if (const auto found = rule->options_table().find(option)) return {rule, *found};
  }
  fail("optimizer: ", expression(), " has no option '", name, "'");
}

void Engine::add_group(const Group& group) {
  require_training("add a group");
  require(!group.options.empty(), "optimizer: the group '", group.pattern, "' sets no option; give at least one, as in {\"lr\", 0.1}");
  const auto rules = chain();
  std::vector<OptionTable> tables;
  for (const UpdateRule* rule : rules) {
    tables.push_back(rule->options_table());
    tables.back().add_group();
  }
  std::vector<FoundOption> given;
  for (const OptionValue& each : group.options) {
    const FoundOption found = find_option(each.name);
    require(std::find(given.begin(), given.end(), found) == given.end(), "optimizer: the group '", group.pattern, "' has ", each.name, " twice");
    given.push_back(found);
    tables[static_cast<size_t>(std::find(rules.begin(), rules.end(), found.rule) - rules.begin())].give(found.option, each.value);
  }
  for (size_t i = 0; i < rules.size(); ++i) rules[i]->check_groups(tables[i]);
  table_.add_group(group.pattern);  // the last that can fail
  for (size_t i = 0; i < rules.size(); ++i) rules[i]->assign(std::move(tables[i]));
  for (UpdateRule* rule : rules) rule->start_group(table_, static_cast<int32_t>(table_.groups.size()) - 1);
}

void Engine::make_slots() {
  rule_->make_slots(table_, prefixes().front());
  fill_slots(*rule_);
}

void Engine::fill_slots(UpdateRule& rule) const {
  for (size_t s = 0; s < table_.segments.size(); ++s) fill_slots(rule, static_cast<int32_t>(s));
}

void Engine::fill_slots(UpdateRule& rule, int32_t segment) const {
  const auto& slots = rule.slots();
  const auto s = static_cast<size_t>(segment);
  if (std::any_of(slots.begin(), slots.end(), [s](const auto& slot) { return slot->kind == SlotKind::elementwise && slot->arenas[s]; }))
    rule.fill_slots(table_, segment);
}

std::vector<UpdateRule*> Engine::chain() const {
  std::vector<UpdateRule*> rules;
  for (UpdateRule* rule = rule_.get(); rule; rule = rule->inner()) rules.push_back(rule);
  return rules;
}

std::vector<std::string> Engine::prefixes() const {
  const auto rules = chain();
  std::vector<std::string> names;
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto inside = std::count_if(rules.begin() + static_cast<std::ptrdiff_t>(i) + 1, rules.end(),
                                      [&](const UpdateRule* other) { return other->name() == rules[i]->name(); });
    names.push_back(inside ? text(rules[i]->name(), inside + 1) : std::string(rules[i]->name()));
  }
  return names;
}

void Engine::segment_activated(int32_t segment) {
  const auto rules = chain();
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) fill_slots(**rule, segment);  // wrappers copy what is inside
}

std::string Engine::expression() const {
  std::string out;
  const auto rules = chain();
  for (const UpdateRule* rule : rules) append_text(out, text(rule->name(), "("));
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    std::string_view separator = (*rule)->inner() ? ", " : "";
    for (const Hyperparameter& field : (*rule)->hyperparameters()) {
      // What is off, or a flag that is as usual, is not worth a word.
      if (field.given == field.usual && (field.given == 0 || field.kind == Hyperparameter::Kind::flag)) continue;
      append_text(out, text(separator, field.name, "=", to_text(field, field.given)));
      separator = ", ";
    }
    out += ")";
  }
  return out;
}

void Engine::activate_thawed() {
  for (const Row& row : table_.rows)
    if (row.role == RowRole::parameter && !table_.segments[static_cast<size_t>(row.segment)].active && row.value.requires_grad())
      table_.activate(row.segment);
}

bool Engine::collect_gradients() {
  activate_thawed();
  inputs_.resize(table_.rows.size());
  for_rows(inputs_.size(), [this](size_t i) {
    const Row& row = table_.rows[i];
    inputs_[i] = {.state = RowState::outside, .scale = 1, .limit = std::numeric_limits<double>::infinity()};
    if (row.role != RowRole::parameter || !table_.segments[static_cast<size_t>(row.segment)].active) return;
    inputs_[i].state = gradient_in_window(row, autograd::leaf_of(row.value)) ? RowState::stepped : RowState::idle;
  });
  return std::any_of(inputs_.begin(), inputs_.end(), [](const RowInput& input) { return input.state == RowState::stepped; });
}

bool Engine::step() {
  require_training("step");
  if (!collect_gradients()) return false;
  StepInput step{.table = table_, .rows = inputs_};
  if (!rule_->reduce(step)) return false;
  report_skipped();
  run(step);
  ++steps_;
  return true;
}

// Names the parameters that have no gradient for the first time.
void Engine::report_skipped() {
  reported_.resize(inputs_.size());
  std::string names;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].state != RowState::idle || reported_[i] || !table_.rows[i].value.requires_grad()) continue;
    reported_[i] = true;
    append_text(names, text(names.empty() ? "'" : ", '", table_.rows[i].name, "'"));
  }
  if (!names.empty() && reporter_) reporter_(text("optimizer: no gradient reached ", names, "; left alone (this is said once)"));
}

void Engine::run(const StepInput& step) {
  rule_->prepare(step);
  plan(step);
  if (observer_) observer_->before_update(chunks_);
  for_each_chunk([this](const Chunk& chunk) { rule_->update(chunk); });
  if (rule_->defers()) {
    rule_->conclude();
    for_each_chunk([this](const Chunk& chunk) { rule_->settle(chunk); });
  }
  bump_versions();
  if (observer_) observer_->after_update();
}

void Engine::observe(StepObserver* observer) {
  require(!observer || !observer_, "optimizer: it is traced already; end that trace first");
  observer_ = observer;
}

void Engine::close_windows() {
  require_training("close the window");
  inputs_.assign(table_.rows.size(), {.state = RowState::outside, .scale = 1, .limit = std::numeric_limits<double>::infinity()});
  if (rule_->close_windows()) run({.table = table_, .rows = inputs_});
}

// Cuts the rows that move into chunks: neighbours that step alike are one run, so that many small rows cost no more than one large one.
void Engine::plan(const StepInput& step) {
  chunks_.clear();
  moved_.clear();
  planned_elements_ = 0;
  size_t first = 0;
  int64_t begin = 0, end = 0;
  const auto add_run = [&] {
    if (begin < end) add_chunks(first, begin, end, step.rows[first].state == RowState::stepped, step.gradients);
  };
  for (size_t i = 0; i < table_.rows.size(); ++i) {
    if (!rule_->moves(i, step.rows[i].state)) continue;
    const Row& row = table_.rows[i];
    const bool joins = begin < end && table_.rows[first].segment == row.segment && row.offset == end && step.rows[i] == step.rows[first] &&
                       table_.rows[first].group == row.group && rule_->alike(first, i);
    if (!joins) {
      add_run();
      first = i;
      begin = row.offset;
    }
    end = row.offset + row.padded;
    moved_.push_back(i);
  }
  add_run();
}

// As `plan`, for what concerns every row alike that is trained or averaged.
void Engine::plan_all() {
  const Slot* averaged = rule_->averaged_weights();
  chunks_.clear();
  moved_.clear();
  planned_elements_ = 0;
  for (size_t i = 0; i < table_.rows.size(); ++i) {
    const Row& row = table_.rows[i];
    if (!table_.segments[static_cast<size_t>(row.segment)].active && !(averaged && covers(*averaged, row))) continue;
    add_chunks(i, row.offset, row.offset + row.padded, false, nullptr);
    moved_.push_back(i);
  }
}

// Cuts a run of rows into chunks of whole cache lines, all of one size.
void Engine::add_chunks(size_t first_row, int64_t begin, int64_t end, bool has_gradient, const Slot* gradients) {
  if (begin == end) return;
  const auto width = static_cast<int64_t>(size_of(table_.rows[first_row].value.dtype())), line = static_cast<int64_t>(memory::alignment) / width;
  const int64_t pieces = ((end - begin) * width + chunk_bytes - 1) / chunk_bytes;
  const int64_t each = ((end - begin) / line + pieces - 1) / pieces * line;
  for (int64_t at = begin; at < end; at += each)
    chunks_.push_back(chunk_of(table_, first_row, at, std::min(each, end - at), has_gradient, gradients));
  planned_elements_ += end - begin;
}

void Engine::for_each_chunk(FunctionRef<void(const Chunk&)> function) const {
  const auto count = static_cast<int64_t>(chunks_.size());
  const bool small = planned_elements_ * static_cast<int64_t>(sizeof(double)) <= chunk_bytes;
  parallel_for(count, small ? std::max<int64_t>(count, 1) : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) function(chunks_[static_cast<size_t>(i)]);
  });
}

void Engine::bump_versions() const {
  for_rows(moved_.size(), [this](size_t i) { table_.rows[moved_[i]].value.node().storage->bump_version(); });
}

void Engine::require_training(std::string_view what) const {
  require(evaluations_ == 0, "optimizer: cannot ", what, " while an evaluation of the averaged weights is under way; let its scope end first");
}

void Engine::swap_weights() const {
  const Slot* averaged = rule_->averaged_weights();
  if (!averaged) return;
  for_each_chunk([&](const Chunk& chunk) {
    dispatch_chunk(chunk, [&]<class T>() {
      T* const weights = reinterpret_cast<T*>(chunk.weights);
      std::swap_ranges(weights, weights + chunk.count, reinterpret_cast<T*>(chunk.in(*averaged)));
    });
  });
  bump_versions();
}

void Engine::begin_evaluation() {
  if (evaluations_++ > 0) return;
  plan_all();
  swap_weights();
}

void Engine::end_evaluation() {
  if (--evaluations_ > 0) return;
  swap_weights();
}

void Engine::rebase() {
  plan_all();
  for_each_chunk([this](const Chunk& chunk) { rule_->rebase(chunk); });
}

void Engine::finish() {
  require_training("finish");
  if (!rule_->averaged_weights()) return;
  plan_all();
  for_each_chunk([this](const Chunk& chunk) { rule_->finish(chunk); });
  for (const size_t row : moved_) rule_->finish_row(row);
  bump_versions();
}

}  // namespace scry::optim
