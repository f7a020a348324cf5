#include <scry/core/kernels/copy.hpp>
#include <scry/core/random.hpp>
#include <scry/optim/checkpoint.hpp>
#include <scry/optim/engine.hpp>
#include <scry/optim/json.hpp>
#include <algorithm>
#include <cstring>

namespace scry::optim {
namespace {

using Header = CheckpointHeader;

bool has(const std::vector<std::string>& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

// Compares a checkpoint with an optimizer, and notes what to write where; nothing is written before everything has been compared.
class Restorer {
 public:
  Restorer(Optimizer& optimizer, const Checkpoint& checkpoint, std::string_view source, const std::vector<CheckpointPart>& parts)
      : optimizer_(optimizer), engine_(optimizer.engine()), table_(optimizer.registry().state()), source_(source), parts_(parts) {
    for (const NamedTensor& each : checkpoint.tensors) tensors_.emplace(each.name, each.tensor);
    const auto found = checkpoint.metadata.find(Header::key), sum = checkpoint.metadata.find(Header::checksum_key);
    require(found != checkpoint.metadata.end(), source, ": this is no checkpoint: it has no metadata under '", Header::key, "'");
    header_ = parse_checkpoint_header(found->second, source);
    damaged_ = sum != checkpoint.metadata.end() && sum->second != checksum(checkpoint);
    restored_.metadata = checkpoint.metadata;
    restored_.metadata.erase(Header::key);
    restored_.metadata.erase(Header::checksum_key);
  }

  Restored run() {
    match_rules();
    compare_options();
    compare_rows();
    plan_weights();
    plan_slots();
    expect(!damaged_, "it is damaged: its contents don't match their checksum");  // where nothing more can be said
    expect(header_.steps >= 0, "steps is ", header_.steps);
    load_parts_and_options();  // the last that can fail, all or nothing
    write();
    engine_.set_steps(header_.steps);
    default_generator() = Generator(header_.seed, header_.counter);
    return std::move(restored_);
  }

 private:
  struct Write {
    size_t row;
    std::string slot;  // empty for the row's value
    Tensor from;
  };

  struct CommonRule {
    UpdateRule* rule;
    const Header::Rule* saved;
    OptionTable options;
  };

  template <class... Pieces>
  void expect(bool condition, const Pieces&... pieces) const {
    require(condition, source_, ": ", pieces...);
  }

  // Finds the rules that both have: all of them, or those inside a wrapper that only one has.
  void match_rules() {
    const auto chain = engine_.chain();
    const auto& saved = header_.rules;
    const size_t common = std::min(chain.size(), saved.size());
    bool same = common > 0;
    for (size_t i = 0; i < common; ++i) {
      UpdateRule* const rule = chain[chain.size() - common + i];
      rules_.push_back({rule, &saved[saved.size() - common + i], rule->options_table()});
      same = same && rules_.back().saved->name == rules_.back().rule->name();
    }
    expect(same, "it is a checkpoint of ", header_.optimizer, ", and this optimizer is ", optimizer_.expression());
    wrapped_ = {chain.begin(), chain.end() - static_cast<std::ptrdiff_t>(common)};
    for (const UpdateRule* rule : wrapped_)
      restored_.notes.push_back(text(source_, " has no state of ", rule->name(), ": its window starts anew from the loaded weights"));
    for (size_t i = 0; i + common < saved.size(); ++i)
      restored_.notes.push_back(text(source_, " was saved with ", saved[i].name, " around the optimizer: its state is left out"));
  }

  // Finds the groups by their patterns, in whatever order they were added, and the options' values in each.
  void compare_options() {
    const auto& saved = header_.groups;
    for (const std::string& pattern : saved) expect(has(table_.groups, pattern), "it has a group '", pattern, "', which this optimizer hasn't");
    for (size_t group = 0; group < table_.groups.size(); ++group) {
      const auto found = std::find(saved.begin(), saved.end(), table_.groups[group]);
      expect(found != saved.end(), "it has no group '", table_.groups[group], "', which this optimizer has");
      for (CommonRule& each : rules_) compare_options(each, each.saved->options[static_cast<size_t>(found - saved.begin())], group);
    }
  }

  void compare_options(CommonRule& each, const std::vector<Header::Option>& options, size_t group) {
    const auto fields = each.rule->hyperparameters(group);
    const std::string where = group ? text(each.rule->name(), " in '", table_.groups[group], "'") : std::string(each.rule->name());
    for (const Header::Option& option : options)
      expect(std::ranges::find(fields, option.name, &Hyperparameter::name) != fields.end(), where, " has no option '", option.name, "' here");
    for (size_t i = 0; i < fields.size(); ++i) {
      const Hyperparameter& field = fields[i];
      const auto option = std::ranges::find(options, field.name, &Header::Option::name);
      if (group && option == options.end()) {
        expect(!field.own, where, ": ", field.name, " is ", to_text(field, field.value), " here and not set in the checkpoint");
        continue;
      }
      expect(option != options.end(), "the option ", field.name, " of ", where, " is missing");
      expect(!field.identity || option->given == to_text(field, field.given), where, ": ", field.name, " is ", option->given,
             " in the checkpoint and ", to_text(field, field.given), " here; they must be the same");
      const auto value = from_text(field, option->now);
      expect(value.has_value(), where, ": ", field.name, " is '", option->now, "'; expected ", expectation(field));
      each.options.put(i, *value, group);
    }
  }

  void compare_rows() {
    std::vector<bool> seen(table_.rows.size());
    for (const Header::Row& row : header_.rows) {
      const std::string& name = row.name;
      const auto found = std::ranges::find(table_.rows, name, &Row::name);
      expect(found != table_.rows.end(), "it has a tensor '", name, "', which this model hasn't; is it another model's?");
      const auto index = static_cast<size_t>(found - table_.rows.begin());
      expect(!seen[index], "'", name, "' is listed twice");
      seen[index] = true;
      expect(row.buffer == (found->role == RowRole::buffer), "'", name, "' is a ", row.buffer ? "buffer" : "parameter",
             " in the checkpoint and not here");
      rows_.push_back(index);
      const bool trained_here = table_.segments[static_cast<size_t>(found->segment)].active;
      expect(!row.buffer || !row.trained, "the buffer '", name, "' is marked as trained");
      expect(row.trained || !trained_here, "'", name, "' was frozen when it was saved; load the checkpoint before requires_grad_()");
    }
    for (size_t i = 0; i < seen.size(); ++i) expect(seen[i], "it has no tensor '", table_.rows[i].name, "'; is it another model's?");
  }

  const Tensor& tensor(const std::string& name, const Shape& shape, DType dtype) const {
    const auto found = tensors_.find(name);
    expect(found != tensors_.end(), "the tensor '", name, "' is missing");
    const Tensor& x = found->second;
    expect(x.shape() == shape && x.dtype() == dtype, "'", name, "' is ", x.dtype(), " of shape ", x.shape(), " in the checkpoint and ", dtype,
           " of shape ", shape, " here");
    return x;
  }
  const Tensor& tensor(const std::string& name, const Row& row) const { return tensor(name, row.value.shape(), row.value.dtype()); }

  // Whether the i-th row of the checkpoint has a part in the slot, once everything is written.
  bool in_slot(size_t i, const Slot& slot) const { return header_.rows[i].trained || covers(slot, table_.rows[rows_[i]]); }

  void plan_weights() {
    const std::string& averaged = header_.averaged;
    const auto slots = common_slots();
    const auto here = std::find_if(slots.begin(), slots.end(), [&](const auto& slot) { return slot->name == averaged; });
    rebases_ = !averaged.empty() && here == slots.end();
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = table_.rows[rows_[i]];
      const Tensor& shipped = tensor(row.name, row);
      const bool differs = here != slots.end() && in_slot(i, **here);
      writes_.push_back({rows_[i], "", differs ? tensor(Header::training_name(row.name), row) : shipped});
      if (differs) writes_.push_back({rows_[i], averaged, shipped});
    }
  }

  std::vector<std::shared_ptr<Slot>> common_slots() const {
    std::vector<std::shared_ptr<Slot>> slots;
    for (const auto& each : rules_) slots.insert(slots.end(), each.rule->slots().begin(), each.rule->slots().end());
    return slots;
  }

  void plan_slots() {
    for (const auto& [rule, saved, options] : rules_) {
      const auto& names = saved->slots;
      for (const std::string& name : names)
        expect(std::any_of(rule->slots().begin(), rule->slots().end(), [&](const auto& slot) { return slot->name == name; }), "it has the state ",
               name, ", which ", optimizer_.expression(), " doesn't keep");
      for (const auto& slot : rule->slots()) {
        expect(has(names, slot->name), "it has no ", slot->name, ", which ", optimizer_.expression(), " keeps");
        if (slot->kind != SlotKind::elementwise) {
          plan_numbers(*slot);
          continue;
        }
        for (size_t i = 0; i < rows_.size(); ++i)
          if (in_slot(i, *slot) && slot->name != header_.averaged)
            writes_.push_back({rows_[i], slot->name, tensor(Header::slot_name(slot->name, table_.rows[rows_[i]].name), table_.rows[rows_[i]])});
      }
    }
  }

  void plan_numbers(Slot& slot) {
    const bool per_row = slot.kind == SlotKind::per_row;
    const auto saved = tensor(slot.name, {per_row ? static_cast<int64_t>(rows_.size()) : 1}, f64).to_vector<double>();
    std::vector<double> numbers(saved.size());
    for (size_t i = 0; i < saved.size(); ++i) {
      const bool is_count = saved[i] >= 0 && saved[i] < 0x1p53 && saved[i] == std::trunc(saved[i]);
      const bool counts = slot.role != SlotRole::number;
      expect(counts ? is_count : std::isfinite(saved[i]), slot.name, per_row ? text(" of '", table_.rows[rows_[i]].name, "'") : "", " is no ",
             counts ? "count" : "number");
      numbers[per_row ? rows_[i] : i] = saved[i];
    }
    numbers_.emplace_back(&slot, std::move(numbers));
  }

  std::vector<NamedTensor> state_of(const CheckpointPart& part) const {
    expect(has(header_.parts, part.name()), "it has no state of '", part.name(), "'");
    const std::string prefix = Header::part_name(part.name(), "");
    std::vector<NamedTensor> state;
    for (const auto& [name, tensor] : tensors_)
      if (name.starts_with(prefix)) state.push_back({name.substr(prefix.size()), tensor});
    return state;
  }

  void load_parts_and_options() {
    for (const std::string& name : header_.parts)
      if (std::none_of(parts_.begin(), parts_.end(), [&](const auto& part) { return part.name() == name; }))
        restored_.notes.push_back(text(source_, " has state of '", name, "', which is left out"));
    for (const CommonRule& each : rules_) each.rule->check_groups(each.options);
    std::vector<std::vector<NamedTensor>> before;
    std::vector<OptionTable> options;  // which schedules set when they are loaded
    for (const CommonRule& each : rules_) options.push_back(each.rule->options_table());
    try {
      for (const CheckpointPart& part : parts_) {
        const auto state = state_of(part);
        before.push_back(part.save());
        part.load(state);
      }
    } catch (const std::exception& error) {
      for (size_t i = 0; i < before.size(); ++i) parts_[i].load(before[i]);
      for (size_t i = 0; i < rules_.size(); ++i) rules_[i].rule->assign(std::move(options[i]));
      fail(std::string_view(error.what()).starts_with(source_) ? "" : text(source_, ": "), error.what());
    }
  }

  void write() {
    for (CommonRule& each : rules_) each.rule->assign(std::move(each.options));
    for (size_t i = 0; i < rows_.size(); ++i)
      if (header_.rows[i].trained) table_.activate(table_.rows[rows_[i]].segment);
    for (const auto& [row, slot, from] : writes_) {
      const Row& to = table_.rows[row];
      kernels::copy_into(slot.empty() ? to.value : engine_.registry().slot(to.name, slot), from);
      to.value.node().storage->bump_version();
    }
    for (auto& [slot, numbers] : numbers_) slot->numbers = std::move(numbers);
    if (rebases_) engine_.rebase();
    for (auto rule = wrapped_.rbegin(); rule != wrapped_.rend(); ++rule) {
      for (const auto& slot : (*rule)->slots()) clear(*slot);
      engine_.fill_slots(**rule);
    }
  }

  static void clear(Slot& slot) {
    std::fill(slot.numbers.begin(), slot.numbers.end(), 0.0);
    for (const Ref<Storage>& arena : slot.arenas)
      if (arena && arena->bytes()) std::memset(arena->data(), 0, arena->bytes());
  }

  Optimizer& optimizer_;
  Engine& engine_;
  RegistryState& table_;
  std::string_view source_;
  std::unordered_map<std::string, Tensor> tensors_;
  const std::vector<CheckpointPart>& parts_;
  Header header_;
  Restored restored_;
  std::vector<CommonRule> rules_;
  std::vector<UpdateRule*> wrapped_;  // rules here that the checkpoint hasn't
  std::vector<size_t> rows_;          // in the checkpoint's order
  std::vector<Write> writes_;
  std::vector<std::pair<Slot*, std::vector<double>>> numbers_;
  bool rebases_ = false, damaged_ = false;
};

}  // namespace

Restored restore(Optimizer& optimizer, const Checkpoint& checkpoint, std::string_view source, const std::vector<CheckpointPart>& parts) {
  optimizer.engine().require_training("restore a checkpoint");
  return Restorer(optimizer, checkpoint, source, parts).run();
}

}  // namespace scry::optim
