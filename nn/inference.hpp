#pragma once

#include <scry/autograd/folding.hpp>
#include <scry/autograd/grad_mode.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

struct InferenceOptions {
  int64_t chunk = 0;  ///< how many samples go through the network at a time; 0: as many as stay in the processor's cache
};

/// What all networks for inference have in common: how a batch is cut, and what the first call learns.
class InferenceBase {
 protected:
  InferenceBase(ModuleBase model, const InferenceOptions& options);

  using Network = FunctionRef<Tensor(const Tensor&)>;
  /// Runs a network of one tensor in chunks.
  Tensor run_in_chunks(const Network& network, const Tensor& x) const;
  /// The convolutions of a network of anything, learnt by calling `network` where that hasn't been done.
  autograd::Folding& folding(FunctionRef<std::vector<Tensor>()> network) const;

 private:
  struct State;
  int64_t samples_at_once(const Network& network, const Tensor& x) const;

  std::shared_ptr<State> state_;
};

/// A network as for_inference() makes it; it is called like the model. Its copies share what they have learnt, and any thread may call them.
template <class Model>
class Inference : public InferenceBase {
 public:
  Inference(const Model& model, const InferenceOptions& options) : InferenceBase(model, options), model_(model) {}

  template <class... Args>
  auto operator()(const Args&... args) const {
    const NoGrad guard;
    if constexpr (std::is_same_v<std::tuple<Args...>, std::tuple<Tensor>> && std::is_same_v<decltype(model_(args...)), Tensor>) {
      return run_in_chunks([this](const Tensor& x) { return model_(x); }, args...);
    } else {
      autograd::Folding& folding = InferenceBase::folding([&] {
        auto result = model_(args...);
        std::vector<Tensor> tensors;
        each_tensor(result, [&](const Tensor& y) { tensors.push_back(y); });
        return tensors;
      });
      const autograd::Folding::Use use(folding);
      auto result = model_(args...);
      use.finish();
      return result;
    }
  }

 private:
  Model model_;
};

/// The model for evaluation only, and faster: batch normalisation is folded into the convolutions before it, weights are brought into the kernels'
/// form once, nothing is recorded, and a large batch goes through the network in chunks that stay in the processor's cache. Results are those of the
/// model in evaluation but for rounding.
///
/// The result uses the model's weights, which stay as they are; when they change it follows. The model is put into evaluation. On the first call the
/// network is run once on two samples, to learn which normalisation reads which convolution and whether samples depend on each other (then there
/// are no chunks). The way through a network must not depend on the values of its input; a run that notices the contrary is an Error.
template <class Model>
Inference<Model> for_inference(const Model& model, const InferenceOptions& options = {}) {
  return {model, options};
}

}  // namespace scry::nn
