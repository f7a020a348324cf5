#include <scry/autograd/function.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/pack.hpp>

namespace scry {

void FunctionContext::save(std::initializer_list<Tensor> tensors) {
  for (const Tensor& x : tensors) kept_.push_back({x, x.defined() ? x.node().storage->version() : 0});
}

Tensor FunctionContext::saved(size_t i) const {
  require(i < kept_.size(), "FunctionContext: tensor ", i, " of ", kept_.size(), " is asked for; forward saves them");
  const Kept& kept = kept_[i];
  if (kept.output >= 0) return outputs_[static_cast<size_t>(kept.output)];
  if (kept.tensor.defined() && kept.tensor.node().storage->version() != kept.version) autograd::detail::saved_value_changed("FunctionContext");
  return kept.tensor;
}

namespace autograd {

// One call of a function, kept by its node. Several outputs are packed into one.
class FunctionCall {
 public:
  FunctionCall(ErasedFunction function, std::span<const Tensor> inputs) : function_(std::move(function)) {
    for (const Tensor& x : inputs) input_shapes_.push_back(x.defined() ? x.shape() : Shape{});
  }

  Tensor forward(std::span<const Tensor> inputs) {
    const NoGrad off;
    const std::vector<Tensor> outputs = function_.forward(context_, inputs);
    require(!outputs.empty(), function_.name, ": forward returned no tensor");
    for (const Tensor& y : outputs) require_floating(function_.name, y);
    for (FunctionContext::Kept& kept : context_.kept_)
      for (size_t i = 0; i < outputs.size(); ++i)
        if (kept.tensor.defined() && same_node(kept.tensor, outputs[i])) kept = {{}, 0, static_cast<int>(i)};
    shapes_ = shapes_of(outputs);
    return outputs.size() == 1 ? outputs.front().detach() : pack(function_.name, outputs);
  }

  std::vector<Tensor> unpacked(const Tensor& y) const { return shapes_.size() == 1 ? std::vector<Tensor>{y} : unpack(y, shapes_); }

  bool keeps_outputs() const {
    for (const FunctionContext::Kept& kept : context_.kept_)
      if (kept.output >= 0) return true;
    return false;
  }

  void backward(const Tensor& g, Gradients& gradients, const Tensor& y) {
    context_.gradients_ = &gradients;
    if (y.defined()) context_.outputs_ = unpacked(y);
    struct Close {
      FunctionContext& context;
      ~Close() {
        context.gradients_ = nullptr;
        context.outputs_.clear();
      }
    } close{context_};
    std::vector<Tensor> parts = function_.backward(context_, unpacked(g));
    require(parts.size() == input_shapes_.size(), function_.name, ": backward returned ", parts.size(), " gradients for ", input_shapes_.size(),
            " inputs");
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i].defined() || !gradients.wanted(i)) continue;
      require(parts[i].shape() == input_shapes_[i], function_.name, ": backward returned a gradient of shape ", parts[i].shape(), " for input ", i,
              " of shape ", input_shapes_[i]);
      gradients.add(i, std::move(parts[i]));
    }
  }

 private:
  ErasedFunction function_;
  FunctionContext context_;
  std::vector<Shape> input_shapes_, shapes_;
};

std::vector<Tensor> apply_erased(ErasedFunction function, std::span<const Tensor> inputs) {
  const Recorder recorder = record(function.name);
  const auto call = std::make_shared<FunctionCall>(std::move(function), inputs);
  Tensor y = call->forward(inputs);
  using Call = std::shared_ptr<FunctionCall>;
  if (call->keeps_outputs()) {
    const auto rule = [](const Tensor& g, Gradients& gradients, const Call& kept, const Tensor& own) { kept->backward(g, gradients, own); };
    y = recorder.many(std::move(y), inputs, rule, call, output);
  } else {
    const auto rule = [](const Tensor& g, Gradients& gradients, const Call& kept) { kept->backward(g, gradients, {}); };
    y = recorder.many(std::move(y), inputs, rule, call);
  }
  return call->unpacked(y);
}

}  // namespace autograd
}  // namespace scry
