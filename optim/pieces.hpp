#pragma once

// Sums over the elements of rows, as norms are. Each row is cut into pieces of a size that depends on nothing else, and what they give is added
// in order, in double: the same for any number of threads and however the rest of the model looks.

#include <scry/core/function_ref.hpp>
#include <scry/optim/rule.hpp>
#include <array>

namespace scry::optim {

/// A part of one row, and what was summed over it.
struct Piece {
  Chunk chunk;
  RowInput input;
  std::array<double, 2> sums;
};

class Pieces {
 public:
  /// Cuts the rows that have a gradient, calls `function` for each piece from several threads, and returns them in the rows' order. It keeps
  /// its memory from call to call.
  std::span<const Piece> run(const StepInput& step, FunctionRef<void(Piece&)> function);
  /// The same for the rows that `wanted` names.
  std::span<const Piece> run(const StepInput& step, FunctionRef<bool(size_t row)> wanted, FunctionRef<void(Piece&)> function);

 private:
  std::vector<Piece> pieces_;
};

/// Σ f(x[i]…) over `count` elements in double, in lanes that fill registers; `count` is a multiple of 8.
template <class F, class... T>
double lane_sum(int64_t count, const F& f, const T*... x) {
  constexpr int64_t lanes = 8;
  double sums[lanes] = {};
  for (int64_t i = 0; i < count; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane) sums[lane] += f(static_cast<double>(x[i + lane])...);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace scry::optim
