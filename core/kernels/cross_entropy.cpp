#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/cross_entropy.hpp>
#include <scry/core/kernels/softmax_rows.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>

namespace scry::kernels {
namespace {

// The targets of rows, as numbers.
template <class T>
class RowTargets {
 public:
  RowTargets(const Targets& targets, int64_t classes)
      : labels_(contiguous(targets.labels)), weight_(targets.weight.defined() ? contiguous(targets.weight) : Tensor()), classes_(classes) {
    even_ = targets.smoothing / static_cast<double>(classes);
    at_label_ = 1 - targets.smoothing;
    if (!weight_.defined()) total_ = static_cast<double>(classes);
    for (int64_t c = 0; weight_.defined() && c < classes; ++c) total_ += weight(c);
  }
  int64_t label(int64_t row) const { return static_cast<const int64_t*>(labels_.raw())[row]; }
  bool counts(int64_t row) const { return label(row) >= 0 && label(row) < classes_; }
  double weight(int64_t c) const { return weight_.defined() ? static_cast<double>(static_cast<const T*>(weight_.raw())[c]) : 1; }
  /// The target beyond what every class has, that of every class before its weight, and the sum of all.
  double at_label(int64_t row) const { return at_label_ * weight(label(row)); }
  double even() const { return even_; }
  double sum(int64_t row) const { return at_label(row) + even_ * total_; }

 private:
  Tensor labels_, weight_;
  int64_t classes_;
  double even_, at_label_, total_ = 0;
};

void logarithms(double* values, int64_t n) {
  const auto f = [](Register<double> v) { return xsimd::log(v); };
  const void* in[] = {values};
  loop<decltype(f), double, double>(values, in, n, &f);
}

int64_t grain_of(int64_t classes) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(classes, 1)); }

}  // namespace

RowLosses cross_entropy(const Tensor& input, const Targets& targets) {
  const Tensor x = contiguous(input);
  const int64_t rows = x.shape()[0], n = x.shape()[1];
  RowLosses out{Tensor::empty({rows}, x.dtype()), Tensor::empty({rows}, x.dtype())};
  dispatch_floating("cross_entropy", x.dtype(), [&]<class T>() {
    const RowTargets<T> target(targets, n);
    T *losses = static_cast<T*>(out.losses.raw()), *sums = static_cast<T*>(out.log_sum_exp.raw());
    const memory::Scratch<T> powers(rows * n);
    parallel_for(rows, grain_of(n), [&](int64_t begin, int64_t end) {
      constexpr int64_t most = 64;
      for (int64_t first = begin, count; first < end; first += count) {
        count = std::min(most, end - first);
        const T* x_rows = static_cast<const T*>(x.raw()) + first * n;
        T* power = powers.data() + first * n;
        T max[most];
        double log_sum[most];
        for (int64_t i = 0; i < count; ++i) max[i] = largest(x_rows + i * n, n);
        exponentials_of_rows(x_rows, max, count, n, power);
        for (int64_t i = 0; i < count; ++i) log_sum[i] = sum_of_powers(power + i * n, n);
        logarithms(log_sum, count);
        for (int64_t i = 0; i < count; ++i) {
          const T* row = x_rows + i * n;
          const auto missing = [&](int64_t c) { return log_sum[i] - (static_cast<double>(row[c]) - static_cast<double>(max[i])); };
          double loss = 0;
          if (target.counts(first + i)) {
            loss = target.at_label(first + i) * missing(target.label(first + i));
            for (int64_t c = 0; target.even() != 0 && c < n; ++c) loss += target.even() * target.weight(c) * missing(c);
          }
          losses[first + i] = static_cast<T>(loss);
          sums[first + i] = static_cast<T>(static_cast<double>(max[i]) + log_sum[i]);
        }
      }
    });
  });
  return out;
}

Tensor cross_entropy_gradient(const Tensor& g, const Tensor& input, const Targets& targets, const Tensor& log_sum_exp) {
  const Tensor x = contiguous(input);
  const int64_t rows = x.shape()[0], n = x.shape()[1], step = g.strides()[0];
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  dispatch_floating("cross_entropy", x.dtype(), [&]<class T>() {
    const RowTargets<T> target(targets, n);
    const T *data = static_cast<const T*>(x.raw()), *gs = static_cast<const T*>(g.raw()), *sums = static_cast<const T*>(log_sum_exp.raw());
    parallel_for(rows, grain_of(n), [&](int64_t begin, int64_t end) {
      exponentials_of_rows(data + begin * n, sums + begin, end - begin, n, static_cast<T*>(out.raw()) + begin * n);
      for (int64_t i = begin; i < end; ++i) {
        T* row = static_cast<T*>(out.raw()) + i * n;
        if (!target.counts(i)) {
          std::fill_n(row, n, T{0});
          continue;
        }
        const T slope = gs[i * step], whole = slope * static_cast<T>(target.sum(i));
        for (int64_t c = 0; c < n; ++c) row[c] *= whole;
        row[target.label(i)] -= slope * static_cast<T>(target.at_label(i));
        for (int64_t c = 0; target.even() != 0 && c < n; ++c) row[c] -= slope * static_cast<T>(target.even() * target.weight(c));
      }
    });
  });
  return out;
}

}  // namespace scry::kernels
