#pragma once

#include <scry/nn/init.hpp>
#include <scry/nn/module.hpp>

// What whole models start from.
namespace scry::nn {

/// Convolutional networks, as in torchvision: convolutions normal with variance 2 / fan_out (He et al. 2015). With `linear` above 0 linear layers are
/// normal with that deviation, and all biases 0; else they stay as they are.
inline void init_convolutional(const ModuleBase& model, double linear = 0) {
  for (const NamedTensor& p : model.named_parameters())
    if (p.tensor.rank() == 4)
      init::kaiming_normal_(p.tensor, {.mode = init::KaimingOptions::Mode::fan_out, .nonlinearity = init::Nonlinearity::relu});
    else if (linear > 0 && p.tensor.rank() == 2)
      init::normal_(p.tensor, 0, linear);
    else if (linear > 0 && p.name.ends_with("bias"))
      init::constant_(p.tensor, 0);
}

/// Transformers: weights normal with a deviation of 0.02, biases 0, norms as they are (Radford et al. 2018).
inline void init_transformer(const ModuleBase& model) {
  for (const NamedTensor& p : model.named_parameters())
    if (p.tensor.rank() >= 2)
      init::normal_(p.tensor, 0, 0.02);
    else if (p.name.ends_with("bias"))
      init::constant_(p.tensor, 0);
}

}  // namespace scry::nn
