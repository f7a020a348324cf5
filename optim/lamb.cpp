#include <scry/optim/adam_equation.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/lamb.hpp>
#include <scry/optim/pieces.hpp>

namespace scry::optim {
namespace {

struct LAMBEquation {
  using Options = LAMBOptions;
  static constexpr std::string_view name = "lamb";
  static constexpr auto fields =
      adam_fields_and(field<&Options::maximize>("maximize"), field<&Options::bias_correction>("bias_correction"), field<&Options::adapt>("adapt"));
  static constexpr auto slots = AdamMoments::slots;
  static constexpr bool counts_steps = true;

  template <class T>
  struct Step {
    T step_size, rate1, rate2, inverse_bias1, inverse_root_bias2, eps, weight_decay;
  };
  static Step<double> step(const Options& o, double t) {
    const double bias1 = o.bias_correction ? 1 - std::pow(o.beta1, t) : 1, bias2 = o.bias_correction ? 1 - std::pow(o.beta2, t) : 1;
    return {.step_size = o.lr,
            .rate1 = 1 - o.beta1,
            .rate2 = 1 - o.beta2,
            .inverse_bias1 = 1 / bias1,
            .inverse_root_bias2 = 1 / std::sqrt(bias2),
            .eps = o.eps,
            .weight_decay = o.weight_decay};
  }

  template <class V, class S>
  static V direction(V w, V m, V v, const S& s) {
    return quotient<V>(m * s.inverse_bias1, sqrt(v) * s.inverse_root_bias2 + s.eps) + s.weight_decay * w;
  }
  // The moments have had this step's gradient.
  template <class V, class S>
  static V update(V w, V, V& m, V& v, const S& s) {
    return w - s.step_size * direction(w, m, v, s);
  }
};

// The moments must be known before the length of the step is: they are updated in `prepare`, and the weights in `update`.
class LAMBRule final : public ElementwiseRule<LAMBEquation> {
 public:
  using ElementwiseRule::ElementwiseRule;

  void prepare(const StepInput& step) override {
    ElementwiseRule::prepare(step);
    const auto pieces = pieces_.run(step, [this](Piece& piece) { dispatch_chunk(piece.chunk, [&]<class T>() { take<T>(piece); }); });
    for (auto piece = pieces.begin(); piece != pieces.end();) {
      const size_t row = piece->chunk.row;
      double weights = 0, direction = 0;
      for (; piece != pieces.end() && piece->chunk.row == row; ++piece) {
        weights += piece->sums[0];
        direction += piece->sums[1];
      }
      if (options(step.table.rows[row]).adapt && weights > 0 && direction > 0) own_step(row).step_size *= std::sqrt(weights / direction);
    }
  }

 private:
  template <class T>
  void take(Piece& piece) const {
    const Chunk& chunk = piece.chunk;
    const Prepared& prepared = step_of(chunk.row);
    const auto s = convert_members<T>(prepared.step);
    const RowInput input = prepared.cause.input;
    const T *const w = aligned<T>(chunk.weights), *const g = aligned<T>(chunk.gradients);
    T *const m = aligned<T>(chunk.in(*slots_[0])), *const v = aligned<T>(chunk.in(*slots_[1]));
#pragma GCC ivdep
    for (int64_t i = 0; i < chunk.count; ++i) {
      const T gradient = input.read(g[i]);
      m[i] += s.rate1 * (gradient - m[i]);
      v[i] += s.rate2 * (gradient * gradient - v[i]);
    }
    piece.sums[0] = lane_sum(
        chunk.count, [](double x) { return x * x; }, w);
    piece.sums[1] = lane_sum(
        chunk.count,
        [p = prepared.step](double x, double first, double second) {
          const double u = LAMBEquation::direction(x, first, second, p);
          return u * u;
        },
        w, m, v);
  }

  Pieces pieces_;
};

}  // namespace

LAMB::LAMB(const Registry& registry, const LAMBOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<LAMBRule>(options), groups) {}

OptimizerKind lamb_kind() { return kind_of<LAMB, LAMBEquation::fields>(LAMBEquation::name); }

}  // namespace scry::optim
