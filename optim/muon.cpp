#include <scry/core/blas.hpp>
#include <scry/optim/adam_equation.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/muon.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

constexpr std::array<std::string_view, 2> adjustments{"original", "match_rms_adamw"};

using Options = MuonOptions;
constexpr std::array fields{
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
  explicit MuonRule(const MuonOptions& options) : RuleOf("muon", fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    slots_ = {registry.add_slot(prefix + "/momentum_buffer", SlotRole::first_moment, SlotKind::elementwise),
              registry.add_slot(prefix + "/exp_avg_sq", SlotRole::second_moment, SlotKind::elementwise),
              registry.add_slot(prefix + "/step", SlotRole::step, SlotKind::per_row)};
  }

  void prepare(const StepInput& step) override {
    rows_.resize(step.rows.size());
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (step.rows[i].state != RowState::stepped) continue;
      const Row& row = step.table.rows[i];
      const MuonOptions& o = options(row);
      rows_[i] = {row.value.rank() >= 2 && o.orthogonal, step.rows[i], {}};
      const Chunk chunk = chunk_of(step.table, i, row.offset, row.padded, true, step.gradients);
      const double t = ++slots_[2]->numbers[i];
      if (rows_[i].is_matrix)
        dispatch_chunk(chunk, [&]<class T>() { move_matrix<T>(chunk, row.value.shape(), o); });
      else
        rows_[i].adamw = AdamMoments<false>::step({.lr = o.lr,
                                                   .beta1 = o.adamw_beta1,
                                                   .beta2 = o.adamw_beta2,
                                                   .eps = o.adamw_eps,
                                                   .weight_decay = o.weight_decay,
                                                   .decoupled_weight_decay = true},
                                                  t);
    }
  }

  bool alike(size_t, size_t) const override { return false; }

  void update(const Chunk& chunk) const override {
    if (!chunk.has_gradient || rows_[chunk.row].is_matrix) return;
    dispatch_chunk(chunk, [&]<class T>() {
      const auto s = convert_members<AdamMoments<false>::Step<T>>(rows_[chunk.row].adamw);
      const RowInput input = rows_[chunk.row].input;
      T *const w = aligned<T>(chunk.weights), *const m = aligned<T>(chunk.in(*slots_[0])), *const v = aligned<T>(chunk.in(*slots_[1]));
      const T* const g = aligned<T>(chunk.gradients);
#pragma GCC ivdep
      for (int64_t i = 0; i < chunk.count; ++i) w[i] = AdamMoments<false>::update(w[i], input.read(g[i]), m[i], v[i], s);
    });
  }

 private:
  struct Prepared {
    bool is_matrix;
    RowInput input;
    AdamMoments<false>::Step<double> adamw;
  };

  // A product of whole matrices is no work for chunks: the row's step is taken here.
  template <class T>
  void move_matrix(const Chunk& chunk, const Shape& shape, const MuonOptions& o) const {
    const int64_t rows = shape[0], columns = rows ? element_count(shape) / rows : 0;
    if (rows * columns == 0) return;
    const memory::Scratch<T> direction(chunk.count), spare(chunk.count);
    T *const w = aligned<T>(chunk.weights), *const m = aligned<T>(chunk.in(*slots_[0])), *const u = direction.data();
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
    const T scale = static_cast<T>(1 / std::max(norm, o.eps));
    if (norm > 0)
      for (int64_t i = 0; i < chunk.count; ++i) u[i] *= scale;
    const T* const x = orthogonalized(u, spare.data(), rows, columns, o);
    const auto height = static_cast<double>(rows), width = static_cast<double>(columns);
    const double ratio = o.adjust_lr == AdjustLr::original ? std::sqrt(std::max(1.0, height / width)) : 0.2 * std::sqrt(std::max(height, width));
    const T keep = static_cast<T>(1 - o.lr * o.weight_decay), step_size = static_cast<T>(o.lr * ratio);
#pragma GCC ivdep
    for (int64_t i = 0; i < rows * columns; ++i) w[i] = keep * w[i] - step_size * x[i];
  }

  std::vector<Prepared> rows_;
};

}  // namespace

Muon::Muon(const Registry& registry, const MuonOptions& options, const std::vector<Group>& groups)
    : Optimizer(registry, std::make_unique<MuonRule>(options), groups) {}

const OptimizerKind& muon_kind() {
  static const OptimizerKind kind = kind_of<Muon, fields>("muon");
  return kind;
}

}  // namespace scry::optim
