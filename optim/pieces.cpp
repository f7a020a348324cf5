#include <scry/core/parallel.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

constexpr int64_t piece_elements = 16 << 10;

}  // namespace

std::span<const Piece> Pieces::run(const StepInput& step, FunctionRef<void(Piece&)> function) {
  return run(
      step, [&](size_t row) { return step.rows[row].state == RowState::stepped; }, function);
}

std::span<const Piece> Pieces::run(const StepInput& step, FunctionRef<bool(size_t)> wanted, FunctionRef<void(Piece&)> function) {
  pieces_.clear();
  int64_t elements = 0;
  for (size_t i = 0; i < step.rows.size(); ++i) {
    if (step.rows[i].state == RowState::outside || !wanted(i)) continue;
    const Row& row = step.table.rows[i];
    for (int64_t at = 0; at < row.padded; at += piece_elements) {
      const int64_t count = std::min(piece_elements, row.padded - at);
      pieces_.push_back({chunk_of(step.table, i, row.offset + at, count, step.rows[i].state == RowState::stepped, step.gradients), step.rows[i], {}});
    }
    elements += row.padded;
  }
  const auto count = static_cast<int64_t>(pieces_.size());
  parallel_for(count, elements <= piece_elements ? std::max<int64_t>(count, 1) : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) function(pieces_[static_cast<size_t>(i)]);
  });
  return pieces_;
}

}  // namespace scry::optim
