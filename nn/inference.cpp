#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/nn/inference.hpp>
#include <algorithm>
#include <cmath>
#include <optional>

namespace scry::nn {
namespace {

constexpr int64_t cached_elements = 1 << 19;  // of the largest result of a convolution, for all samples of a chunk

Tensor samples(const Tensor& x, int64_t begin, int64_t end) { return x.at({Slice{begin, end}}); }

bool close(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double largest = 0, difference = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(y[i]));
    difference = std::max(difference, std::abs(x[i] - y[i]));
  }
  return difference <= 1e-3 * largest;
}

}  // namespace

struct InferenceBase::State {
  ModuleBase model;
  InferenceOptions options;
  std::mutex mutex;
  std::optional<autograd::Folding> folding;
  std::optional<int64_t> at_once;
};

InferenceBase::InferenceBase(ModuleBase model, const InferenceOptions& options) : state_(std::make_shared<State>(model, options)) {
  require(options.chunk >= 0, "for_inference: a chunk of ", options.chunk, " samples");
  model.eval();
}

autograd::Folding& InferenceBase::folding(FunctionRef<std::vector<Tensor>()> network) const {
  require(!state_->model.training(), "for_inference: the model is in training now; call eval() on it before it is used for inference");
  const std::lock_guard lock(state_->mutex);
  if (!state_->folding) state_->folding.emplace(network);
  return *state_->folding;
}

// Samples may go through in chunks if two of them give the same together and one by one.
int64_t InferenceBase::samples_at_once(const Network& network, const Tensor& x) const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->at_once) {
    const Tensor both = network(samples(x, 0, 2));
    bool apart = both.rank() >= 1 && both.size(0) == 2;
    for (int64_t i = 0; i < 2 && apart; ++i) apart = close(network(samples(x, i, i + 1)), samples(both, i, i + 1));
    const int64_t each = std::max<int64_t>(state_->folding->largest() / 2, 1), chosen = std::max<int64_t>(cached_elements / each, 1);
    state_->at_once = apart ? std::max<int64_t>(state_->options.chunk ? state_->options.chunk : chosen, 1) : 0;
  }
  return *state_->at_once;
}

Tensor InferenceBase::run_in_chunks(const Network& network, const Tensor& x) const {
  require(x.defined() && x.rank() >= 1, "for_inference: expected a batch of samples, got shape ", x.shape());
  const int64_t count = x.size(0);
  autograd::Folding& learnt = folding([&] {
    Tensor two = samples(x, 0, std::min<int64_t>(count, 2)).detach();
    if (is_floating(two.dtype())) two = kernels::clone(two).requires_grad_();
    return std::vector<Tensor>{network(two)};
  });
  const autograd::Folding::Use use(learnt);
  const auto run = [&](const Tensor& part) {
    Tensor y = network(part);
    use.finish();
    return y;
  };
  const int64_t at_once = count > 1 ? samples_at_once(run, x) : 0;
  if (at_once == 0 || count <= at_once) return run(x);
  Tensor all;
  for (int64_t first = 0; first < count; first += at_once) {
    const int64_t end = std::min(count, first + at_once);
    const Tensor y = run(samples(x, first, end));
    if (!all.defined()) {
      Shape shape = y.shape();
      shape[0] = count;
      all = Tensor::empty(shape, y.dtype());
    }
    kernels::copy_into(samples(all, first, end), y);
  }
  return all;
}

}  // namespace scry::nn
