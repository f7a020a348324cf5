#pragma once

#include <scry/core/creation.hpp>
#include <scry/core/function_ref.hpp>
#include <scry/nn/module.hpp>
#include <array>
#include <iosfwd>

namespace scry::nn {

/// What summary() tells of one module, with all below it.
struct ModuleSummary {
  std::string name;            ///< "layer1.0.conv1"; empty for the model itself
  std::string description;     ///< "nn.Conv2d 3 -> 16, kernel 3"
  int depth = 0;               ///< 0 for the model, 1 for its parts
  std::vector<Shape> outputs;  ///< of its last call; none where it wasn't called
  int64_t calls = 0;
  int64_t parameters = 0;        ///< values in all parameters, shared ones counted once …
  int64_t trained = 0;           ///< … and in those that require gradients
  int64_t multiply_adds = 0;     ///< in convolutions, matrix products, attention and recurrent layers
  int64_t activation_bytes = 0;  ///< of all that its ops compute, which a training step keeps at most; views cost nothing
};

struct Summary {
  std::vector<ModuleSummary> modules;  ///< the model first, every module before its parts
  int64_t input_bytes = 0, parameter_bytes = 0, buffer_bytes = 0;
};

/// A table with a line for each module, and the sums below it.
std::ostream& operator<<(std::ostream& out, const Summary& summary);

/// What `call` takes, which calls the model with the inputs; these are replaced by copies that require gradients where they can.
Summary summarize(const ModuleBase& model, std::span<Tensor> inputs, FunctionRef<void()> call);

/// What calling the model with these tensors takes, module by module. The model is called once, in evaluation, and stays as it is.
template <class Model, class... Inputs>
  requires(sizeof...(Inputs) > 0 && (std::is_convertible_v<const Inputs&, Tensor> && ...))
Summary summary(const Model& model, const Inputs&... inputs) {
  Tensor all[] = {inputs...};
  return summarize(model, all, [&] { std::apply(model, std::to_array(all)); });
}

/// The same for one input of f32 zeros: `summary(model, {1, 3, 32, 32})`.
template <class Model>
Summary summary(const Model& model, const Shape& input) {
  return summary(model, zeros(input));
}

}  // namespace scry::nn
