#include <scry/autograd/grad_mode.hpp>
#include <scry/autograd/node.hpp>
#include <scry/autograd/observer.hpp>
#include <scry/nn/summary.hpp>
#include <algorithm>
#include <map>
#include <ostream>
#include <set>

namespace scry::nn {
namespace {

using autograd::Node;

int64_t bytes_of(const std::vector<NamedTensor>& tensors) {
  std::set<const TensorNode*> seen;
  int64_t bytes = 0;
  for (const NamedTensor& t : tensors)
    if (seen.insert(&t.tensor.node()).second) bytes += t.tensor.numel() * static_cast<int64_t>(size_of(t.tensor.dtype()));
  return bytes;
}

// By the shapes of an op's output and of its inputs; 0 for an op without products.
int64_t multiply_adds(const Node& node) {
  const std::string_view op = node.op;
  const auto input = [&](size_t i) { return i < node.inputs().size() && node.inputs()[i] ? &node.inputs()[i]->shape : nullptr; };
  const auto per_row = [](const Shape& weight) { return element_count(weight) / std::max<int64_t>(1, weight[0]); };
  const int64_t out = element_count(node.shape);
  const Shape *first = input(0), *second = input(1), *of_input = input(3), *of_state = input(4);
  if ((op == "conv2d" || op == "linear") && second) return out * per_row(*second);
  if (op == "conv2d_input_gradient" && first && second) return element_count(*first) * per_row(*second);  // a transposed convolution
  if (op == "matmul" && first) return out * (*first)[first->rank() - 1];
  if (op == "matmul" && second) return out * (*second)[std::max(0, second->rank() - 2)];
  if (op == "scaled_dot_product_attention" && first && second) return (element_count(*first) + out) * (*second)[second->rank() - 2];
  if (op == "self_attention" && first) return 2 * out * (*first)[1];
  if ((op == "lstm" || op == "gru" || op == "rnn") && first && of_input && of_state)
    return (*first)[0] * (*first)[1] * (element_count(*of_input) + element_count(*of_state));
  return 0;
}

// Follows one call of a model, from its hooks and from the ops.
class Follower : autograd::Observer {
 public:
  Follower(const ModuleBase& model, std::span<const Tensor> inputs) : outer_(model.path()) {
    for (const Tensor& x : inputs) is_new(x);
    for (const auto& all : {model.named_parameters(), model.named_buffers()})
      for (const NamedTensor& t : all) is_new(t.tensor);
    add_rows(model, 0);
    model.apply([&](const ModuleBase& module) {
      modes_.emplace_back(module, module.training());
      handles_.push_back(module.register_forward_pre_hook([this](const ModuleCall& call) { active_.push_back(&row(call.module)); }));
      handles_.push_back(module.register_forward_hook([this](const ModuleCall& call) { leave(call); }));
    });
    for (const Tensor& p : model.parameters())
      if (!p.requires_grad()) frozen_.push_back(p.requires_grad_());
    model.eval();
  }
  Follower(const Follower&) = delete;
  ~Follower() {
    for (const HookHandle& handle : handles_) handle.remove();
    for (const auto& [module, training] : modes_) module.train(training);
    for (const Tensor& p : frozen_) p.requires_grad_(false);
  }

  std::vector<ModuleSummary> rows;

 private:
  void add_rows(const ModuleBase& module, int depth) {
    const std::string path = module.path();
    places_[path] = rows.size();
    const auto begin = static_cast<std::ptrdiff_t>(outer_.empty() || path.size() <= outer_.size() ? outer_.size() : outer_.size() + 1);
    ModuleSummary& row = rows.emplace_back();
    row.name.assign(path.begin() + begin, path.end());
    row.description = module.description();
    row.depth = depth;
    row.parameters = module.parameter_count();
    std::set<const TensorNode*> seen;
    for (const Tensor& p : module.parameters())
      if (p.requires_grad() && seen.insert(&p.node()).second) row.trained += p.numel();
    for (const ModuleBase& child : module.children()) add_rows(child, depth + 1);
  }
  ModuleSummary& row(const ModuleBase& module) { return rows[places_.at(module.path())]; }

  void leave(const ModuleCall& call) {
    ModuleSummary& left = *active_.back();
    active_.pop_back();
    ++left.calls;
    left.outputs.clear();
    for (const Tensor& y : call.outputs) left.outputs.push_back(y.shape());
  }

  void computed(const char*, const Tensor& y, int64_t) override {
    const Node* node = autograd::node_of(y);
    const int64_t products = node ? multiply_adds(*node) : 0;
    const int64_t bytes = is_new(y) ? y.numel() * static_cast<int64_t>(size_of(y.dtype())) : 0;
    for (ModuleSummary* each : active_) {
      each->multiply_adds += products;
      each->activation_bytes += bytes;
    }
  }

  // Whether its storage is seen for the first time. It is kept, so that no later one has its address.
  bool is_new(const Tensor& x) {
    const Ref<Storage>& storage = x.node().storage;
    if (!storages_.insert(storage.get()).second) return false;
    kept_.push_back(storage);
    return true;
  }

  std::string outer_;  // the model's own path, where it is part of another
  std::map<std::string, size_t> places_;
  std::vector<ModuleSummary*> active_;  // the modules whose forward runs
  std::vector<HookHandle> handles_;
  std::vector<std::pair<ModuleBase, bool>> modes_;
  std::vector<Tensor> frozen_;
  std::set<const Storage*> storages_;
  std::vector<Ref<Storage>> kept_;
};

// 1234567 as 1,234,567.
std::string grouped(int64_t number) {
  std::string out = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3) out.insert(static_cast<size_t>(at), 1, ',');
  return out;
}

std::string megabytes(int64_t bytes) {
  const int64_t hundredths = (bytes + 5000) / 10000;
  return text(hundredths / 100, ".", hundredths / 10 % 10, hundredths % 10, " MB");
}

std::string shapes_of(const ModuleSummary& row) {
  std::string out;
  for (const Shape& shape : row.outputs) out += text(out.empty() ? "" : " ", shape);
  return out.empty() ? "-" : out;
}

std::string title_of(const ModuleSummary& row) {
  const std::string last = row.name.substr(row.name.rfind('.') + 1);  // npos + 1 is 0
  return std::string(static_cast<size_t>(2 * row.depth), ' ') + (last.empty() ? row.description : text(last, " (", row.description, ")"));
}

}  // namespace

Summary summarize(const ModuleBase& model, std::span<Tensor> inputs, FunctionRef<void()> call) {
  Summary out;
  for (Tensor& x : inputs) {
    out.input_bytes += x.numel() * static_cast<int64_t>(size_of(x.dtype()));
    if (is_floating(x.dtype())) x = x.detach().requires_grad_();
  }
  out.parameter_bytes = bytes_of(model.named_parameters());
  out.buffer_bytes = bytes_of(model.named_buffers());
  const EnableGrad recording;
  Follower follower(model, inputs);
  call();
  out.modules = std::move(follower.rows);
  return out;
}

std::ostream& operator<<(std::ostream& out, const Summary& summary) {
  std::vector<std::array<std::string, 5>> lines{{"Module", "Output", "Parameters", "Multiply-adds", "Activations"}};
  for (const ModuleSummary& row : summary.modules)
    lines.push_back({title_of(row), shapes_of(row), grouped(row.parameters), grouped(row.multiply_adds), megabytes(row.activation_bytes)});
  std::array<size_t, 5> widths{};
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string fill(widths[i] - line[i].size(), ' ');
      out << (i < 2 ? line[i] + fill : fill + line[i]) << (i + 1 < line.size() ? "  " : "\n");
    }
  }
  if (summary.modules.empty()) return out;
  const ModuleSummary& model = summary.modules.front();
  return out << "Parameters: " << grouped(model.parameters) << ", of which " << grouped(model.trained)
             << " are trained; multiply-adds: " << grouped(model.multiply_adds) << "\nMemory: " << megabytes(summary.parameter_bytes)
             << " parameters, " << megabytes(summary.buffer_bytes) << " buffers, " << megabytes(summary.input_bytes) << " inputs, "
             << megabytes(model.activation_bytes) << " activations\n";
}

}  // namespace scry::nn
