#pragma once

#include <scry/core/random.hpp>
#include <scry/core/tensor.hpp>
#include <vector>

namespace scry::test {

/// The number of kinds of steps; of kinds from here on the first ones make views.
extern const uint64_t step_kinds, step_views;

/// One op, chosen by a random number, applied to some of the tensors that were made before. Results stay between about -2 and 2, away from kinks and
/// poles, and have at most four axes and a few dozen elements.
Tensor random_step(const std::vector<Tensor>& made, uint64_t choice);

}  // namespace scry::test
