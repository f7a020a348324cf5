#include <scry/optim/optim.hpp>

#include "conformance/node.hpp"

// Optimizers. Inputs are the learning rate, the number of steps before this one, and of every tensor its values, its gradients and its state.
namespace scry::conformance {
namespace {

// One step of an optimizer `make(registry)` on all tensors, whose counts of steps are set to `count` before it.
template <class Make>
Outputs step(const Node& node, const std::string& name, const std::vector<std::string>& slots, double count, const Make& make) {
  const size_t tensors = (node.inputs.size() - 2) / (2 + slots.size());
  const auto row = [](size_t i) { return text("x", i); };
  std::vector<NamedTensor> parameters;
  for (size_t i = 0; i < tensors; ++i) parameters.push_back({row(i), clone(node.in(2 + i)).requires_grad_()});
  const optim::Registry registry(parameters);
  auto optimizer = make(registry);
  for (size_t i = 0; i < tensors; ++i) {
    sum(parameters[i].tensor * node.in(2 + tensors + i)).backward();  // whose gradient is the second factor
    for (size_t s = 0; s < slots.size(); ++s) copy_(registry.slot(row(i), name + "/" + slots[s]), node.in(2 + (2 + s) * tensors + i));
    registry.set_slot(row(i), name + "/step", count);
  }
  optimizer.step();
  Outputs outputs;
  for (size_t i = 0; i < tensors; ++i) outputs.push_back(parameters[i].tensor.detach());
  for (const std::string& slot : slots)
    for (size_t i = 0; i < tensors; ++i) outputs.push_back(registry.slot(row(i), name + "/" + slot));
  return outputs;
}

double rate_of(const Node& node) { return node.in(0).item(); }
double steps_of(const Node& node) { return node.in(1).item(); }

Outputs adagrad(const Node& node) {
  return step(node, "adagrad", {"sum"}, steps_of(node), [&](const optim::Registry& registry) {
    return optim::Adagrad{registry,
                          {.lr = rate_of(node),
                           .lr_decay = node.number("decay_factor", 0.0),
                           .weight_decay = node.number("norm_coefficient", 0.0),
                           .eps = node.number("epsilon", 1e-6)}};
  });
}

// Before the first step (0) there is no correction of the moments' bias; from then on ONNX counts steps as scry does, this one included.
Outputs adam(const Node& node) {
  const double steps = steps_of(node);
  return step(node, "adam", {"exp_avg", "exp_avg_sq"}, std::max(steps - 1, 0.0), [&](const optim::Registry& registry) {
    return optim::Adam{registry,
                       {.lr = rate_of(node),
                        .beta1 = node.number("alpha", 0.9),
                        .beta2 = node.number("beta", 0.999),
                        .eps = node.number("epsilon", 1e-6),
                        .weight_decay = node.number("norm_coefficient", 0.0),
                        .eps_hat = true,
                        .bias_correction = steps > 0,
                        .decay_after = node.number("norm_coefficient_post", 0.0)}};
  });
}

// Beta is the gradient's part in the momentum after the first step (0), where all of it goes in.
Outputs momentum(const Node& node) {
  const double steps = steps_of(node), alpha = node.number("alpha", 0.0);
  const std::string mode = node.word("mode", "standard");
  supported(alpha > 0 && (mode == "standard" || mode == "nesterov"), "the mode ", mode, " with a momentum of ", alpha);
  return step(node, "sgd", {"momentum_buffer"}, std::max(steps, 1.0), [&](const optim::Registry& registry) {
    return optim::SGD{registry,
                      {.lr = rate_of(node),
                       .momentum = alpha,
                       .dampening = steps > 0 ? 1 - node.number("beta", 1.0) : 0,
                       .weight_decay = node.number("norm_coefficient", 0.0),
                       .nesterov = mode == "nesterov"}};
  });
}

}  // namespace

void add_optimizers(Table& table) {
  table.insert({
      {"Adagrad", adagrad},
      {"Adam", adam},
      {"Momentum", momentum},
  });
}

}  // namespace scry::conformance
