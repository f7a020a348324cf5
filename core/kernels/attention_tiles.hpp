#pragma once

// What the two passes of attention share; for kernels' sources only.

#include <scry/core/kernels/attention.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/functions.hpp>
#include <scry/core/kernels/panel.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <limits>

namespace scry::kernels::tiles {

// Keys and queries of a tile: fewer of these, so that less of a causal mask is computed in vain.
inline constexpr int64_t side = 64, queries_at_once = 32;

/// Matrices [..., rows, columns] whose rows are dense.
template <class T>
struct Matrices {
  explicit Matrices(const Tensor& x) : tensor(x.strides()[x.rank() - 1] == 1 || x.size(-1) == 1 ? x : contiguous(x)) {
    for (int axis = 0; axis < x.rank() - 2; ++axis) batch.add(x.shape()[axis], tensor.strides()[axis]);
    row = tensor.strides()[x.rank() - 2];
  }
  T* at(int64_t index, int64_t i = 0) const { return static_cast<T*>(tensor.raw()) + batch.offset(index) + i * row; }

  Tensor tensor;
  Axes batch;
  int64_t row;
};

struct Sizes {
  int64_t count = 1, queries, keys, width, values;  // width: of a query
  Sizes(const Tensor& q, const Tensor& k, const Tensor& v) : queries(q.size(-2)), keys(k.size(-2)), width(q.size(-1)), values(v.size(-1)) {
    for (int axis = 0; axis < q.rank() - 2; ++axis) count *= q.shape()[axis];
  }
  /// A row of random numbers is a whole number of blocks.
  int64_t random_row() const { return (keys + 3) / 4 * 4; }
};

/// Scale, masks and dropout of one tile of scores.
template <class T>
class Scores {
 public:
  Scores(const Attention& how, const Sizes& sizes) : how_(how), sizes_(sizes), scale_(static_cast<T>(how.scale)) {
    if (!how.mask.defined()) return;
    const int rank = how.mask.rank();
    for (int axis = 0; axis < rank - 2; ++axis) batch_.add(how.mask.shape()[axis], how.mask.strides()[axis]);
    down_ = how.mask.strides()[rank - 2];
    across_ = how.mask.strides()[rank - 1];
  }

  /// The first key tile that no query before `last` sees.
  int64_t end_of_keys(int64_t last_query) const { return how_.causal ? std::min(sizes_.keys, last_query) : sizes_.keys; }

  /// From products of queries and keys to scores; keys that aren't seen, or aren't there, get -infinity.
  void finish(T* tile, int64_t index, int64_t query, int64_t rows, int64_t key, int64_t keys, int64_t padded) const {
    constexpr T never = -std::numeric_limits<T>::infinity();
    for (int64_t r = 0; r < rows; ++r) {
      T* row = tile + r * side;
      for (int64_t j = 0; j < padded; ++j) row[j] *= scale_;
      if (how_.mask.defined()) add_mask(row, batch_.offset(index) + (query + r) * down_ + key * across_, keys);
      const int64_t seen = how_.causal ? std::clamp<int64_t>(query + r + 1 - key, 0, keys) : keys;
      std::fill(row + seen, row + padded, never);
    }
  }

  /// The factors of dropout for one row of a tile.
  void dropout_row(int64_t index, int64_t query, int64_t key, int64_t keys, T* out) const {
    const int64_t first = (index * sizes_.queries + query) * sizes_.random_row() + key;
    how_.stream.bernoulli(first, keys, 1 - how_.dropout, static_cast<T>(1 / (1 - how_.dropout)), out);
  }
  bool drops() const { return how_.dropout > 0; }

 private:
  void add_mask(T* row, int64_t offset, int64_t keys) const {
    if (how_.mask.dtype() == boolean) {
      const bool* mask = static_cast<const bool*>(how_.mask.raw()) + offset;
      for (int64_t j = 0; j < keys; ++j) row[j] = mask[j * across_] ? row[j] : -std::numeric_limits<T>::infinity();
    } else {
      const T* mask = static_cast<const T*>(how_.mask.raw()) + offset;
      for (int64_t j = 0; j < keys; ++j) row[j] += mask[j * across_];
    }
  }

  const Attention& how_;
  const Sizes& sizes_;
  T scale_;
  Axes batch_;
  int64_t down_ = 0, across_ = 0;
};

/// Calls body(lane, begin, end) for parts of [0, n), one for each thread, so that each has its own memory. What is computed must not depend on the
/// cut.
template <class F>
void for_each_lane(int64_t n, const F& body) {
  const int64_t lanes = std::min<int64_t>(thread_count(), n);
  parallel_for(lanes, 1, [&](int64_t first, int64_t last) {
    for (int64_t lane = first; lane < last; ++lane) body(lane, n * lane / lanes, n * (lane + 1) / lanes);
  });
}

/// The largest number of whole registers, and perhaps not NaN where there is one.
template <class T>
T largest_of_row(const T* row, int64_t padded) {
  using V = Register<T>;
  constexpr auto lanes = static_cast<int64_t>(V::size);
  V best = V::load_aligned(row);
  for (int64_t j = lanes; j < padded; j += lanes) best = xsimd::max(best, V::load_aligned(row + j));
  alignas(64) T all[V::size];
  best.store_aligned(all);
  for (int64_t half = lanes / 2; half > 0; half /= 2)
    for (int64_t j = 0; j < half; ++j) all[j] = all[j] > all[j + half] ? all[j] : all[j + half];
  return all[0];
}

/// row = exp(row - shift) for whole registers; returns the sum.
template <class T>
double exponentials_of_row(T* row, T shift, int64_t padded) {
  using V = Register<T>;
  constexpr auto lanes = static_cast<int64_t>(V::size);
  V sum(T{0});
  for (int64_t j = 0; j < padded; j += lanes) {
    const V power = xsimd::exp(V::load_aligned(row + j) - V(shift));
    power.store_aligned(row + j);
    sum += power;
  }
  return static_cast<double>(xsimd::hadd(sum));
}

}  // namespace scry::kernels::tiles
