#include <scry/core/kernels/exponential.hpp>
#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/kernels/reducers.hpp>
#include <limits>

namespace scry::kernels {
namespace {

/// The largest element, which NaN is, and the sum of exp(element - largest) in two parts, of which the second is what rounding took from the first. A
/// block's largest element is found before its powers are added, so that what has been added is rescaled once a block.
template <class T>
struct Powers {
  using Number = T;
  using V = Lanes<T, lanes_of<T>>;
  using S = States<T, 3>;
  static constexpr int parts = 3, registers = 4;
  static constexpr T lowest = -std::numeric_limits<T>::infinity();

  T identity(int part) const { return part == 0 ? lowest : T{0}; }

  // What powers are taken from: the largest element, which may be no number to subtract.
  static V base(V top) { return top == lowest ? V{} : top; }
  // (sum, lost) + more, without loss: Knuth's sum of two.
  static void add(V& sum, V& lost, V more) {
    const V both = sum + more, second = both - sum;
    lost += (sum - (both - second)) + (more - second);
    sum = both;
  }

  template <int count, class Rows>
  void take_rows(S (&states)[count], const Rows& rows) const {
    V top[count], from[count];
    for (int r = 0; r < count; ++r) top[r] = states[r].part[0];
    for (int64_t row = 0; row < rows.count(); ++row) {
      rows.fetch(row);
      for (int r = 0; r < count; ++r) top[r] = Extreme<T>{}.take(top[r], rows.at(row, r));
    }
    for (int r = 0; r < count; ++r) {
      from[r] = base(top[r]);
      const V shrink = bounded_exp<T>(states[r].part[0] - from[r]);
      states[r] = {{top[r], states[r].part[1] * shrink, states[r].part[2] * shrink}};
    }
    constexpr int64_t together = 8;
    for (int64_t row = 0; row < rows.count(); row += together) {
      V few[count]{};
      for (int64_t i = row; i < std::min(row + together, rows.count()); ++i)
        for (int r = 0; r < count; ++r) few[r] += bounded_exp<T>(rows.at(i, r) - from[r]);
      for (int r = 0; r < count; ++r) add(states[r].part[1], states[r].part[2], few[r]);
    }
  }
  S merge(const S& a, const S& b, int64_t) const {
    const V top = Extreme<T>{}.merge(a.part[0], b.part[0]), from = base(top), shrink_a = bounded_exp<T>(a.part[0] - from),
            shrink_b = bounded_exp<T>(b.part[0] - from);
    S both{{top, a.part[1] * shrink_a, a.part[2] * shrink_a}};
    add(both.part[1], both.part[2], b.part[1] * shrink_b);
    both.part[2] += b.part[2] * shrink_b;
    return both;
  }
};

}  // namespace

Tensor logsumexp(const Tensor& x, uint32_t mask, bool keepdim) {
  return dispatch_floating("logsumexp", x.dtype(), [&]<class T>() {
    Tensor out = Tensor::empty(reduced_shape(x.shape(), mask, keepdim), x.dtype());
    const auto finish = [](Register<T> top, Register<T> sum, Register<T> lost) {
      return xsimd::select(xsimd::isfinite(top), top + xsimd::log(sum + lost), top);
    };
    reduce<T>(x, mask, Powers<T>{}, [&](const T* top, int64_t pitch, int64_t first, int64_t count) {
      const void* parts[] = {top, top + pitch, top + 2 * pitch};
      loop<decltype(finish), T, T, T, T>(static_cast<T*>(out.raw()) + first, parts, count, &finish);
    });
    return out;
  });
}

}  // namespace scry::kernels
