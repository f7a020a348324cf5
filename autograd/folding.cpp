#include <scry/autograd/folding.hpp>
#include <scry/autograd/grad_mode.hpp>
#include <scry/autograd/node.hpp>
#include <scry/core/kernels/copy.hpp>
#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

namespace scry::autograd {
namespace {

uint32_t version_of(const Tensor& x) { return x.defined() ? x.node().storage->version() : 0; }

Ref<Node> node_behind(const Tensor& x) { return x.requires_grad() ? Ref<Node>(static_cast<Node*>(x.node().tape.get())) : nullptr; }

// How many ops read the output of each node; being a result counts as being read.
std::unordered_map<const Node*, int> count_readers(const std::vector<Tensor>& results) {
  std::unordered_map<const Node*, int> readers;
  std::vector<const Node*> open;
  const auto read = [&](const Node* node) {
    if (node && ++readers[node] == 1) open.push_back(node);
  };
  for (const Tensor& y : results) read(node_behind(y).get());
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Ref<Node>& input : node->inputs()) read(input.get());
  }
  return readers;
}

}  // namespace

// A convolution, with the normalisation behind it if one is folded into it.
struct Folding::Step {
  Convolution convolution;
  std::optional<Normalization> norm;

  // What they come to, as of these versions.
  Weights folded;
  std::unique_ptr<kernels::PackedWeights> packed;
  std::array<uint32_t, 6> versions{};

  void refresh();
};

// w f and (b - mean) f + shift, with f = scale / sqrt(variance + eps), by output channel.
void Folding::Step::refresh() {
  const auto& [weight, bias] = convolution;
  std::array<uint32_t, 6> now{version_of(weight), version_of(bias)};
  if (norm) now = {now[0], now[1], version_of(norm->mean), version_of(norm->variance), version_of(norm->weight), version_of(norm->bias)};
  if (packed && now == versions) return;
  versions = now;
  packed = std::make_unique<kernels::PackedWeights>();
  const auto channels = static_cast<size_t>(weight.size(0)), each = channels ? static_cast<size_t>(weight.numel()) / channels : 0;
  const auto values = [&](const Tensor& x, double otherwise) {
    return x.defined() ? x.to_vector<double>() : std::vector<double>(channels, otherwise);
  };
  std::vector<double> weights = weight.to_vector<double>(), offset = values(bias, 0);
  if (norm) {
    const std::vector<double> mean = values(norm->mean, 0), variance = values(norm->variance, 1), scale = values(norm->weight, 1),
                              shift = values(norm->bias, 0);
    for (size_t o = 0; o < channels; ++o) {
      const double factor = scale[o] / std::sqrt(variance[o] + norm->eps);
      for (size_t i = o * each; i < (o + 1) * each; ++i) weights[i] *= factor;
      offset[o] = (offset[o] - mean[o]) * factor + shift[o];
    }
  }
  folded = {kernels::cast(Tensor::of(weights, weight.shape()), weight.dtype()), kernels::cast(Tensor::of(offset, {weight.size(0)}), weight.dtype()),
            packed.get()};
}

// What a run did, in order, with the nodes of its convolutions' results and of its normalisations' inputs.
struct Folding::Trace {
  std::vector<std::pair<Convolution, Ref<Node>>> convolutions;
  std::vector<std::pair<Normalization, Ref<Node>>> normalizations;
};

struct Folding::Current {
  Trace* trace = nullptr;
  Use* use = nullptr;
};

Folding::Current& Folding::current() {
  thread_local Current here;
  return here;
}

Folding::Folding(FunctionRef<std::vector<Tensor>()> network) {
  Trace trace;
  std::vector<Tensor> results;
  {
    struct Restore {
      Current before = current();
      ~Restore() { current() = before; }
    } const restore;
    current() = {&trace, nullptr};
    const EnableGrad recording;
    results = network();
  }
  const auto readers = count_readers(results);
  for (const auto& [convolution, result] : trace.convolutions) {
    largest_ = std::max(largest_, element_count(result ? result->shape : Shape{}));
    const auto same_weight = [&](const auto& other) { return same_node(other.first.weight, convolution.weight); };
    if (std::count_if(trace.convolutions.begin(), trace.convolutions.end(), same_weight) > 1) continue;
    steps_.push_back(std::make_unique<Step>());
    steps_.back()->convolution = convolution;
    const auto found = readers.find(result.get());
    if (!result || found == readers.end() || found->second != 1) continue;
    for (const auto& [norm, input] : trace.normalizations) {
      const auto same_mean = [&](const auto& other) { return same_node(other.first.mean, norm.mean); };
      if (input == result && std::count_if(trace.normalizations.begin(), trace.normalizations.end(), same_mean) == 1) steps_.back()->norm = norm;
    }
  }
}

Folding::~Folding() = default;

Folding::Use::Use(Folding& folding) : folding_(folding), unread_(folding.steps_.size()), before_(std::exchange(current().use, this)) {}
Folding::Use::~Use() { current().use = before_; }

namespace {

[[noreturn]] void took_another_way() {
  fail(
      "for_inference: this run went another way through the network than the one that was looked at; a network whose way depends on its input or "
      "that "
      "has been changed since must be called itself");
}

}  // namespace

void Folding::Use::finish() const {
  if (std::any_of(unread_.begin(), unread_.end(), [](const TensorNode* node) { return node != nullptr; })) took_another_way();
}

Folding::Weights Folding::weights_for(const Tensor& weight, const Tensor& bias) {
  if (Use* use = current().use) {
    const std::lock_guard lock(use->folding_.mutex_);
    for (const auto& step : use->folding_.steps_) {
      if (!same_node(step->convolution.weight, weight)) continue;
      step->refresh();
      return step->folded;
    }
  }
  return {weight, bias, nullptr};
}

void Folding::note(const Convolution& convolution, const Tensor& y) {
  if (Trace* trace = current().trace) return trace->convolutions.emplace_back(convolution, node_behind(y)), void();
  Use* use = current().use;
  if (!use) return;
  for (size_t i = 0; i < use->unread_.size(); ++i) {
    const Step& step = *use->folding_.steps_[i];
    if (step.norm && same_node(step.convolution.weight, convolution.weight)) use->unread_[i] = &y.node();
  }
}

bool Folding::includes(const Normalization& normalization, const Tensor& x) {
  if (Trace* trace = current().trace) trace->normalizations.emplace_back(normalization, node_behind(x));
  Use* use = current().use;
  if (!use) return false;
  for (size_t i = 0; i < use->unread_.size(); ++i) {
    const Step& step = *use->folding_.steps_[i];
    if (!step.norm || !same_node(step.norm->mean, normalization.mean)) continue;
    if (std::exchange(use->unread_[i], nullptr) != &x.node()) took_another_way();
    return true;
  }
  return false;
}

}  // namespace scry::autograd
