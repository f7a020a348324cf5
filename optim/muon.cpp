#include <scry/core/blas.hpp>
#include <scry/optim/adam_equation.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/muon.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

constexpr std::array<std::string_view, 2> adjustments{"original", "match_rms_adamw"};

constexpr std::array muon_fields{
    field<&MuonOptions::lr>("lr"),
    field<&MuonOptions::weight_decay>("weight_decay"),
    field<&MuonOptions::momentum>("momentum", decay_rate),
    field<&MuonOptions::nesterov>("nesterov"),
    field<&MuonOptions::ns_a>("ns_a", any_number),
    field<&MuonOptions::ns_b>("ns_b", any_number),
    field<&MuonOptions::ns_c>("ns_c", any_number),
    field<&MuonOptions::eps>("eps"),
    field<&MuonOptions::ns_steps>("ns_steps", {0, 99}),
    field<&MuonOptions::adjust_lr>("adjust_lr", any_number, adjustments),
    field<&MuonOptions::orthogonal>("orthogonal"),
    field<&MuonOptions::adamw_beta1>("adamw_beta1", decay_rate),
    field<&MuonOptions::adamw_beta2>("adamw_beta2", decay_rate),
    field<&MuonOptions::adamw_eps>("adamw_eps"),
};

// x, a matrix of norm 1, made nearly orthogonal; the result is in x or in `spare`, of the same size. Products are of the smaller kind.
template <class T>
const T* orthogonalized(T* x, T* spare, int64_t rows, int64_t columns, const MuonOptions& o) {
  const bool wide = rows <= columns;
  const int64_t n = std::min(rows, columns);
  const memory::Scratch<T> squared(n * n), polynomial(n * n);
  T *const a = squared.data(), *const p = polynomial.data();
  for (int64_t i = 0; i < o.ns_steps; ++i) {
    blas::gemm(n, n, std::max(rows, columns), T{1}, {x, columns, !wide}, {x, columns, wide}, T{0}, a, n);
    std::copy_n(a, n * n, p);
    blas::gemm(n, n, n, static_cast<T>(o.ns_c), {a, n}, {a, n}, static_cast<T>(o.ns_b), p, n);  // b A + c A²
    std::copy_n(x, rows * columns, spare);
    const blas::Matrix<T> left{wide ? p : x, wide ? n : columns}, right{wide ? x : p, wide ? columns : n};
    blas::gemm(rows, columns, n, T{1}, left, right, static_cast<T>(o.ns_a), spare, columns);
    std::swap(x, spare);
  }
  return x;
}

class MuonRule final : public RuleOf<MuonOptions> {
 public:
  explicit MuonRule(const MuonOptions& options) : RuleOf("muon", muon_fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    slots_ = {registry.add_slot(prefix + "/momentum_buffer", SlotRole::first_moment, SlotKind::elementwise),
              registry.add_slot(prefix + "/direction", SlotRole::second_moment, SlotKind::elementwise),
              registry.add_slot(prefix + "/step", SlotRole::step, SlotKind::per_row)};
  }

  void prepare(const StepInput& step) override {
    rows_.resize(step.rows.size());
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (step.rows[i].state != RowState::stepped) continue;
      const Row& row = step.table.rows[i];
      const MuonOptions& o = options(row);
      const double t = ++slots_[2]->numbers[i];
      rows_[i] = {row.value.rank() >= 2 && o.orthogonal, step.rows[i], step_of(o, t), {.keep = 1 - o.lr * o.weight_decay, .step_size = 0}};
      if (!rows_[i].is_matrix || row.value.numel() == 0) continue;
      const Chunk chunk = chunk_of(step.table, i, row.offset, row.padded, true, step.gradients);
      const int64_t rows = row.value.size(0), columns = row.value.numel() / rows;
      dispatch_chunk(chunk, [&]<class T>() { find_direction<T>(chunk, rows, columns, o); });
      rows_[i].matrix.step_size = o.lr * adjustment(static_cast<double>(rows), static_cast<double>(columns), o.adjust_lr);
    }
  }

  bool alike(size_t, size_t) const override { return false; }

  void update(const Chunk& chunk) const override {
    if (!chunk.has_gradient) return;
    dispatch_chunk(chunk, [&]<class T>() {
      const Prepared& row = rows_[chunk.row];
      const auto adamw = convert_members<AdamMoments<false>::Step<T>>(row.adamw);
      const auto matrix = convert_members<MatrixStep<T>>(row.matrix);
      T *const w = aligned<T>(chunk.weights), *const m = aligned<T>(chunk.in(*slots_[0])), *const d = aligned<T>(chunk.in(*slots_[1]));
      const T* const g = aligned<T>(chunk.gradients);
      const RowInput input = row.input;
      if (row.is_matrix)
        for (int64_t i = 0; i < chunk.count; ++i) w[i] = moved(w[i], d[i], matrix);
      else
#pragma GCC ivdep
        for (int64_t i = 0; i < chunk.count; ++i) w[i] = AdamMoments<false>::update(w[i], input.read(g[i]), m[i], d[i], adamw);
    });
  }

  void trace(const Chunk& chunk, int64_t i, TracedTerms& terms) const override {
    if (!chunk.has_gradient) return;
    const Prepared& row = rows_[chunk.row];
    dispatch_chunk(chunk, [&]<class T>() {
      const auto named = [&](const char* name, std::byte* memory) { return Traced(terms, name, static_cast<double>(aligned<T>(memory)[i])); };
      Traced w(terms, "w", terms.weight), d = named("direction", chunk.in(*slots_[1]));
      if (row.is_matrix) {
        w = moved(w, d, convert_members<MatrixStep<double>>(convert_members<MatrixStep<T>>(row.matrix)));
      } else {
        const auto s = convert_members<AdamMoments<false>::Step<double>>(convert_members<AdamMoments<false>::Step<T>>(row.adamw));
        Traced m = named("momentum_buffer", chunk.in(*slots_[0]));
        w = AdamMoments<false>::update(w, Traced(terms, "g", static_cast<double>(row.input.read(aligned<T>(chunk.gradients)[i]))), m, d, s);
      }
      terms.weight = w.value();
    });
  }

 private:
  template <class T>
  struct MatrixStep {
    using value_type = T;
    T keep, step_size;
  };
  struct Prepared {
    bool is_matrix;
    RowInput input;
    AdamMoments<false>::Step<double> adamw;
    MatrixStep<double> matrix;
  };

  static AdamMoments<false>::Step<double> step_of(const MuonOptions& o, double t) {
    return AdamMoments<false>::step({.lr = o.lr,
                                     .beta1 = o.adamw_beta1,
                                     .beta2 = o.adamw_beta2,
                                     .eps = o.adamw_eps,
                                     .weight_decay = o.weight_decay,
                                     .decoupled_weight_decay = true},
                                    t);
  }

  static double adjustment(double rows, double columns, AdjustLr how) {
    return how == AdjustLr::original ? std::sqrt(std::max(1.0, rows / columns)) : 0.2 * std::sqrt(std::max(rows, columns));
  }

  template <class V, class S>
  static V moved(V w, V direction, const S& s) {
    return s.keep * w - s.step_size * direction;
  }

  // A product of whole matrices is no work for chunks.
  template <class T>
  void find_direction(const Chunk& chunk, int64_t rows, int64_t columns, const MuonOptions& o) const {
    const memory::Scratch<T> spare(chunk.count);
    T *const m = aligned<T>(chunk.in(*slots_[0])), *const u = aligned<T>(chunk.in(*slots_[1]));
    const T* const g = aligned<T>(chunk.gradients);
    const RowInput input = rows_[chunk.row].input;
    const T momentum = static_cast<T>(o.momentum), ahead = o.nesterov ? momentum : T{1};
#pragma GCC ivdep
    for (int64_t i = 0; i < chunk.count; ++i) {
      const T gradient = input.read(g[i]);
      m[i] += (1 - momentum) * (gradient - m[i]);
      u[i] = gradient + ahead * (m[i] - gradient);
    }
    const double norm = std::sqrt(lane_sum(
        chunk.count, [](double x) { return x * x; }, u));
    if (norm == 0) return;
    const T scale = static_cast<T>(1 / std::max(norm, o.eps));
    for (int64_t i = 0; i < chunk.count; ++i) u[i] *= scale;
    if (const T* const x = orthogonalized(u, spare.data(), rows, columns, o); x != u) std::copy_n(x, rows * columns, u);
  }

  std::vector<Prepared> rows_;
};

}  // namespace

Muon::Muon(const Registry& registry, const MuonOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<MuonRule>(options), groups) {}

const OptimizerKind& muon_kind() {
  static const OptimizerKind kind = kind_of<Muon, muon_fields>("muon");
  return kind;
}

}  // namespace scry::optim
