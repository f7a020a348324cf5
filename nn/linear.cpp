#include <scry/autograd/ops/matmul.hpp>
#include <scry/nn/init.hpp>
#include <scry/nn/linear.hpp>

namespace scry::nn {

Linear::Linear(int64_t in, int64_t out, LinearOptions options) {
  require(in >= 1 && out >= 1, "nn.Linear: expected at least one input and one output, got ", in, " -> ", out);
  weight = parameter("weight", init::uniform_fan_in({out, in}, in, options.dtype));
  if (options.bias) bias = parameter("bias", init::uniform_fan_in({out}, in, options.dtype));
}

Tensor Linear::forward(const Tensor& x) const { return linear(x, weight, bias); }

std::string Linear::describe() const { return text("nn.Linear ", weight.size(1), " -> ", weight.size(0)); }

}  // namespace scry::nn
