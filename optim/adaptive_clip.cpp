#include <scry/core/parallel.hpp>
#include <scry/optim/adaptive_clip.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/rule.hpp>
#include <algorithm>
#include <array>

namespace scry::optim {
namespace {

constexpr std::array adaptive_clip_fields{field<&AdaptiveClipOptions::clipping>("clipping"), field<&AdaptiveClipOptions::eps>("eps")};
constexpr int64_t part_elements = 16 << 10;  // that are worth handing to another thread

template <class T>
double norm(const T* x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return std::sqrt(sum);
}

class AdaptiveClipRule final : public RuleOf<AdaptiveClipOptions> {
 public:
  explicit AdaptiveClipRule(const AdaptiveClipOptions& options) : RuleOf("adaptive_clip", adaptive_clip_fields, options) {}

  bool reduce(StepInput& step) override {
    parts_.clear();
    for (size_t i = 0; i < step.rows.size(); ++i)
      if (step.rows[i].state == RowState::stepped) add_parts(step, i);
    parallel_for(static_cast<int64_t>(parts_.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) clip(parts_[static_cast<size_t>(i)]);
    });
    for (RowInput& row : step.rows) row = {row.state, 1, std::numeric_limits<double>::infinity()};
    return UpdateRule::reduce(step);
  }

 private:
  // Whole units of one row.
  struct Part {
    Chunk chunk;
    RowInput input;
    int64_t unit;  // elements
    AdaptiveClipOptions options;
  };

  void add_parts(const StepInput& step, size_t i) {
    const Row& row = step.table.rows[i];
    const int64_t count = row.value.numel(), unit = row.value.rank() > 1 && count ? count / row.value.size(0) : count;
    if (count == 0) return;
    const int64_t each = std::max<int64_t>(1, part_elements / unit) * unit;
    for (int64_t at = 0; at < count; at += each)
      parts_.push_back(
          {chunk_of(step.table, i, row.offset + at, std::min(each, count - at), true, step.gradients), step.rows[i], unit, options(row)});
  }

  static void clip(const Part& part) {
    dispatch_chunk(part.chunk, [&]<class T>() {
      const T* const weights = reinterpret_cast<const T*>(part.chunk.weights);
      T* const gradients = reinterpret_cast<T*>(part.chunk.gradients);
      for (int64_t at = 0; at < part.chunk.count; at += part.unit) {
        T* const g = gradients + at;
        for (int64_t i = 0; i < part.unit; ++i) g[i] = part.input.read(g[i]);
        const double size = norm(g, part.unit), most = part.options.clipping * std::max(norm(weights + at, part.unit), part.options.eps);
        if (!(size > most)) continue;  // nor where it is NaN
        const T factor = static_cast<T>(most / size);
        for (int64_t i = 0; i < part.unit; ++i) g[i] *= factor;
      }
    });
  }

  std::vector<Part> parts_;
};

}  // namespace

AdaptiveClip::AdaptiveClip(Optimizer&& inner, const AdaptiveClipOptions& options)
    : Optimizer(std::move(inner), std::make_unique<AdaptiveClipRule>(options)) {}

OptimizerKind adaptive_clip_kind() { return kind_of<AdaptiveClip, adaptive_clip_fields>("adaptive_clip"); }

}  // namespace scry::optim
