#include <scry/optim/clip_norm.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

constexpr std::array clip_norm_fields{field<&ClipNormOptions::max_norm>("max_norm")};

constexpr auto square_sum = [](Piece& piece) {
  dispatch_chunk(piece.chunk, [&]<class T>() {
    const auto square = [input = piece.input](double g) {
      const double x = input.read(g);
      return x * x;
    };
    piece.sums[0] = lane_sum(piece.chunk.count, square, reinterpret_cast<const T*>(piece.chunk.gradients));
  });
};

class ClipNormRule final : public RuleOf<ClipNormOptions> {
 public:
  explicit ClipNormRule(const ClipNormOptions& options) : RuleOf("clip_norm", clip_norm_fields, options) {}

  bool reduce(StepInput& step) override {
    sums_.assign(options_table().groups(), 0);
    for (const Piece& piece : pieces_.run(step, square_sum)) sums_[clipped_as(step.table.rows[piece.chunk.row])] += piece.sums[0];
    for (const double sum : sums_)
      if (!std::isfinite(sum)) return false;
    for (size_t i = 0; i < step.rows.size(); ++i) {
      const size_t group = clipped_as(step.table.rows[i]);
      const double factor = std::min(1.0, options(group).max_norm / (std::sqrt(sums_[group]) + 1e-6));
      step.rows[i].scale *= factor;
      step.rows[i].limit = factor > 0 ? step.rows[i].limit * factor : 0;  // it may be infinite
    }
    return UpdateRule::reduce(step);
  }

 private:
  // The group whose norm counts for the row: its own if that has a max_norm, else all others.
  size_t clipped_as(const Row& row) const { return options_table().own(0, static_cast<size_t>(row.group)) ? static_cast<size_t>(row.group) : 0; }

  std::vector<double> sums_;  // by group
  Pieces pieces_;
};

}  // namespace

ClipNorm::ClipNorm(Optimizer&& inner, const ClipNormOptions& options) : Optimizer(std::move(inner), std::make_unique<ClipNormRule>(options)) {}

OptimizerKind clip_norm_kind() { return kind_of<ClipNorm, clip_norm_fields>("clip_norm"); }

}  // namespace scry::optim
