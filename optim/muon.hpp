#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

/// What a matrix's learning rate is multiplied by, in Muon.
enum class AdjustLr : uint8_t {
  original,        ///< √max(1, rows / columns): Jordan et al.
  match_rms_adamw  ///< 0.2 √max(rows, columns): Liu et al. 2025 ("Muon is scalable for LLM training"); a learning rate for AdamW fits
};

struct MuonOptions {
  double lr = 1e-3;           ///< learning rate η, at least 0
  double weight_decay = 0.1;  ///< λ, decoupled
  double momentum = 0.95;     ///< μ, in [0, 1)
  bool nesterov = true;       ///< step by what the momentum will be
  double ns_a = 3.4445;       ///< the coefficients of a Newton-Schulz step
  double ns_b = -4.775;
  double ns_c = 2.0315;
  double eps = 1e-7;     ///< the least norm that a matrix is divided by, at least 0
  int64_t ns_steps = 5;  ///< how many, up to 99
  AdjustLr adjust_lr = AdjustLr::original;
  bool orthogonal = true;    ///< off: as parameters that are no matrices; usual for embeddings and the last layer
  double adamw_beta1 = 0.9;  ///< AdamW's, for parameters that are no matrices, with `lr` and `weight_decay`
  double adamw_beta2 = 0.95;
  double adamw_eps = 1e-8;
};

/// Muon: Jordan et al. 2024 ("Muon: an optimizer for hidden layers in neural networks"), with PyTorch's options. The momentum of a matrix is made
/// nearly orthogonal (its singular values about 1) by a few Newton-Schulz steps:
///
///     m ← μ m + (1 − μ) g;   u = m, with Nesterov (1 − μ) g + μ m;   X = u / max(‖u‖, ε);   ns_steps times  X ← a X + (b A + c A²) X,  A = X Xᵀ;
///     w ← w − η λ w − η r X,  r as `adjust_lr` says
///
/// Tensors with more axes are matrices of [first axis, all others]. Those with fewer, and groups that are not `orthogonal`, are stepped by AdamW:
/// give them a group with a learning rate of their own. Computed in the parameter's type, where PyTorch uses bfloat16. Slots: "muon/momentum_buffer",
/// "muon/direction" (X; AdamW's second moment lies there).
struct Muon : Optimizer {
  explicit Muon(const Registry& registry, const MuonOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
