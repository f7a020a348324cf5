#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/lamb.hpp>
#include <scry/optim/pieces.hpp>

namespace scry::optim {
namespace {

constexpr std::array lamb_fields{
    field<&LAMBOptions::lr>("lr"),
    field<&LAMBOptions::beta1>("beta1", decay_rate),
    field<&LAMBOptions::beta2>("beta2", decay_rate),
    field<&LAMBOptions::eps>("eps"),
    field<&LAMBOptions::weight_decay>("weight_decay"),
    field<&LAMBOptions::maximize>("maximize"),
    field<&LAMBOptions::bias_correction>("bias_correction"),
    field<&LAMBOptions::adapt>("adapt"),
};

// The moments must be known before the length of the step is: they are updated in `prepare`, and the weights in `update`.
class LAMBRule final : public RuleOf<LAMBOptions> {
 public:
  explicit LAMBRule(const LAMBOptions& options) : RuleOf("lamb", lamb_fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    slots_ = {registry.add_slot(prefix + "/exp_avg", SlotRole::first_moment, SlotKind::elementwise),
              registry.add_slot(prefix + "/exp_avg_sq", SlotRole::second_moment, SlotKind::elementwise),
              registry.add_slot(prefix + "/step", SlotRole::step, SlotKind::per_row)};
  }

  void prepare(const StepInput& step) override {
    rows_.resize(step.rows.size());
    for (size_t i = 0; i < rows_.size(); ++i)
      if (step.rows[i].state == RowState::stepped) rows_[i] = prepared(options(step.table.rows[i]), ++slots_[2]->numbers[i]);
    const auto pieces = pieces_.run(step, [this](Piece& piece) { dispatch_chunk(piece.chunk, [&]<class T>() { take<T>(piece); }); });
    for (auto piece = pieces.begin(); piece != pieces.end();) {
      const size_t row = piece->chunk.row;
      double weights = 0, direction = 0;
      for (; piece != pieces.end() && piece->chunk.row == row; ++piece) {
        weights += piece->sums[0];
        direction += piece->sums[1];
      }
      if (options(step.table.rows[row]).adapt && weights > 0 && direction > 0) rows_[row].step_size *= std::sqrt(weights / direction);
    }
  }

  bool alike(size_t, size_t) const override { return false; }  // each row has a length of its own

  void update(const Chunk& chunk) const override {
    if (!chunk.has_gradient) return;
    dispatch_chunk(chunk, [&]<class T>() {
      const auto s = convert_members<Prepared<T>>(rows_[chunk.row]);
      T* const w = aligned<T>(chunk.weights);
      const T *const m = aligned<T>(chunk.in(*slots_[0])), *const v = aligned<T>(chunk.in(*slots_[1]));
#pragma GCC ivdep
      for (int64_t i = 0; i < chunk.count; ++i) w[i] -= s.step_size * direction(w[i], m[i], v[i], s);
    });
  }

  void trace(const Chunk& chunk, int64_t i, TracedTerms& terms) const override {
    if (!chunk.has_gradient) return;
    dispatch_chunk(chunk, [&]<class T>() {
      const auto named = [&](const char* name, std::byte* memory) { return Traced(terms, name, static_cast<double>(aligned<T>(memory)[i])); };
      const auto s = convert_members<Prepared<double>>(convert_members<Prepared<T>>(rows_[chunk.row]));
      Traced w(terms, "w", terms.weight);
      const Traced m = named("exp_avg", chunk.in(*slots_[0])), v = named("exp_avg_sq", chunk.in(*slots_[1]));
      w -= s.step_size * direction(w, m, v, s);
      terms.weight = w.value();
    });
  }

 private:
  template <class T>
  struct Prepared {
    using value_type = T;
    T step_size, rate1, rate2, inverse_bias1, inverse_root_bias2, eps, weight_decay, sign;
  };
  static Prepared<double> prepared(const LAMBOptions& o, double t) {
    const double bias1 = o.bias_correction ? 1 - std::pow(o.beta1, t) : 1, bias2 = o.bias_correction ? 1 - std::pow(o.beta2, t) : 1;
    return {.step_size = o.lr,
            .rate1 = 1 - o.beta1,
            .rate2 = 1 - o.beta2,
            .inverse_bias1 = 1 / bias1,
            .inverse_root_bias2 = 1 / std::sqrt(bias2),
            .eps = o.eps,
            .weight_decay = o.weight_decay,
            .sign = o.maximize ? -1.0 : 1.0};
  }

  template <class V, class S>
  static V direction(V w, V m, V v, const S& s) {
    return quotient<V>(m * s.inverse_bias1, sqrt(v) * s.inverse_root_bias2 + s.eps) + s.weight_decay * w;
  }

  template <class T>
  void take(Piece& piece) const {
    const Chunk& chunk = piece.chunk;
    const auto s = convert_members<Prepared<T>>(rows_[chunk.row]);
    const T *const w = aligned<T>(chunk.weights), *const g = aligned<T>(chunk.gradients);
    T *const m = aligned<T>(chunk.in(*slots_[0])), *const v = aligned<T>(chunk.in(*slots_[1]));
#pragma GCC ivdep
    for (int64_t i = 0; i < chunk.count; ++i) {
      const T gradient = s.sign * piece.input.read(g[i]);
      m[i] += s.rate1 * (gradient - m[i]);
      v[i] += s.rate2 * (gradient * gradient - v[i]);
    }
    piece.sums[0] = lane_sum(
        chunk.count, [](double x) { return x * x; }, w);
    piece.sums[1] = lane_sum(
        chunk.count,
        [p = rows_[chunk.row]](double x, double first, double second) {
          const double u = direction(x, first, second, p);
          return u * u;
        },
        w, m, v);
  }

  std::vector<Prepared<double>> rows_;
  Pieces pieces_;
};

}  // namespace

LAMB::LAMB(const Registry& registry, const LAMBOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<LAMBRule>(options), groups) {}

const OptimizerKind& lamb_kind() {
  static const OptimizerKind kind = kind_of<LAMB, lamb_fields>("lamb");
  return kind;
}

}  // namespace scry::optim
