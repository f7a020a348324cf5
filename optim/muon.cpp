#include <scry/core/blas.hpp>
#include <scry/optim/adam_equation.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/muon.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

constexpr std::array<std::string_view, 2> adjustments{"original", "match_rms_adamw"};

struct MuonEquation {
  using Options = MuonOptions;
  static constexpr std::string_view name = "muon";
  static constexpr std::array fields{
      field<&Options::lr>("lr"),
      field<&Options::weight_decay>("weight_decay"),
      field<&Options::momentum>("momentum", decay_rate),
      field<&Options::nesterov>("nesterov"),
      field<&Options::ns_a>("ns_a", any_number),
      field<&Options::ns_b>("ns_b", any_number),
      field<&Options::ns_c>("ns_c", any_number),
      field<&Options::eps>("eps"),
      field<&Options::ns_steps>("ns_steps", {0, 99}),
      field<&Options::adjust_lr>("adjust_lr", any_number, adjustments),
      field<&Options::orthogonal>("orthogonal"),
      field<&Options::adamw_beta1>("adamw_beta1", decay_rate),
      field<&Options::adamw_beta2>("adamw_beta2", decay_rate),
      field<&Options::adamw_eps>("adamw_eps"),
  };
  static constexpr std::array slots{SlotSpec{"momentum_buffer", SlotRole::first_moment}, SlotSpec{"direction", SlotRole::second_moment}};
  static constexpr bool counts_steps = true;

  // AdamW's, until it becomes a matrix's.
  template <class T>
  struct Step {
    AdamMoments::Step<T> adamw;
    T is_matrix, keep, step_size;
  };
  static Step<double> step(const Options& o, double t) {
    const AdamOptions adamw{.lr = o.lr,
                            .beta1 = o.adamw_beta1,
                            .beta2 = o.adamw_beta2,
                            .eps = o.adamw_eps,
                            .weight_decay = o.weight_decay,
                            .decoupled_weight_decay = true};
    return {.adamw = AdamMoments::step(adamw, t), .is_matrix = 0, .keep = 1 - o.lr * o.weight_decay, .step_size = 0};
  }

  template <class V, class S>
  static V update(V w, V g, V& m, V& d, const S& s) {
    return AdamMoments::update(w, g, m, d, s.adamw);
  }
};

struct MatrixUpdate {
  template <class V, class S>
  static V update(V w, V, V&, V& d, const S& s) {
    return s.keep * w - s.step_size * d;
  }
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

// A matrix's direction needs all of it: it is found in `prepare`.
class MuonRule final : public ElementwiseRule<MuonEquation> {
 public:
  using ElementwiseRule::ElementwiseRule;

  void prepare(const StepInput& step) override {
    ElementwiseRule::prepare(step);
    for (size_t i = 0; i < step.rows.size(); ++i) {
      const Row& row = step.table.rows[i];
      const MuonOptions& o = options(row);
      if (step.rows[i].state != RowState::stepped || row.value.rank() < 2 || row.value.numel() == 0 || !o.orthogonal) continue;
      const Chunk chunk = chunk_of(step.table, i, row.offset, row.padded, true, step.gradients);
      const int64_t rows = row.value.size(0), columns = row.value.numel() / rows;
      dispatch_chunk(chunk, [&]<class T>() { find_direction<T>(chunk, step.rows[i], rows, columns, o); });
      auto& own = own_step(i);
      own.is_matrix = 1;
      own.step_size = o.lr * adjustment(static_cast<double>(rows), static_cast<double>(columns), o.adjust_lr);
    }
  }

  void update(const Chunk& chunk) const override { is_matrix(chunk) ? run<MatrixUpdate>(chunk) : run<MuonEquation>(chunk); }
  void trace(const Chunk& chunk, int64_t element, TracedTerms& terms) const override {
    is_matrix(chunk) ? run_traced<MatrixUpdate>(chunk, element, terms) : run_traced<MuonEquation>(chunk, element, terms);
  }

 private:
  // Rows without a gradient have no step.
  bool is_matrix(const Chunk& chunk) const { return chunk.has_gradient && step_of(chunk.row).step.is_matrix != 0; }

  static double adjustment(double rows, double columns, AdjustLr how) {
    return how == AdjustLr::original ? std::sqrt(std::max(1.0, rows / columns)) : 0.2 * std::sqrt(std::max(rows, columns));
  }

  // A product of whole matrices is no work for chunks.
  template <class T>
  void find_direction(const Chunk& chunk, RowInput input, int64_t rows, int64_t columns, const MuonOptions& o) const {
    const memory::Scratch<T> spare(chunk.count);
    T *const m = aligned<T>(chunk.in(*slots_[0])), *const u = aligned<T>(chunk.in(*slots_[1]));
    const T* const g = aligned<T>(chunk.gradients);
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
};

}  // namespace

Muon::Muon(const Registry& registry, const MuonOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<MuonRule>(options), groups) {}

OptimizerKind muon_kind() { return kind_of<Muon, MuonEquation::fields>(MuonEquation::name); }

}  // namespace scry::optim
