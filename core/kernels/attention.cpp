#include <scry/core/kernels/attention_tiles.hpp>
#include <cmath>
#include <deque>

namespace scry::kernels {
namespace {

using tiles::Matrices;
using tiles::queries_at_once;
using tiles::side;
using tiles::Sizes;

// What one thread works with.
template <class T>
struct Workspace {
  explicit Workspace(const Sizes& sizes)
      : keys(sizes.width, side),
        values(side, sizes.values),
        scores(queries_at_once * side),
        sums(queries_at_once * PackedMatrix<T>::padded(sizes.values)),
        dropout(side) {}
  PackedMatrix<T> keys, values;
  memory::Scratch<T> scores, sums, dropout;
};

template <class T>
struct Forward {
  const Sizes& sizes;
  const tiles::Scores<T>& scores;
  Matrices<const T> q, k, v;
  Matrices<T> out;
  T* log_sums;

  // Queries [query, query + rows) of one index against all keys they see, tile by tile; sums are rescaled where a larger score appears.
  void operator()(int64_t index, int64_t query, Workspace<T>& own) const {
    const int64_t rows = std::min(queries_at_once, sizes.queries - query), end = scores.end_of_keys(query + rows),
                  width = PackedMatrix<T>::padded(sizes.values);
    T largest[queries_at_once];
    double divisor[queries_at_once]{};
    std::fill_n(largest, queries_at_once, -std::numeric_limits<T>::infinity());
    std::fill_n(own.sums.data(), rows * width, T{0});
    for (int64_t key = 0; key < end; key += side) {
      const int64_t keys = std::min(side, end - key), padded = PackedMatrix<T>::padded(keys);
      own.keys.pack(k.at(index, key), 1, k.row, sizes.width, keys);
      own.keys.product({q.at(index, query), q.row}, rows, own.scores.data(), side);
      scores.finish(own.scores.data(), index, query, rows, key, keys, padded);
      for (int64_t r = 0; r < rows; ++r) {
        T *row = own.scores.data() + r * side, *sum = own.sums.data() + r * width;
        const T before = largest[r], highest = tiles::largest_of_row(row, padded), now = highest < before ? before : highest;
        if (std::isinf(now) && now < 0) {  // nothing is seen so far, unless there is a NaN
          for (int64_t j = 0; j < keys; ++j) divisor[r] += std::isnan(row[j]) ? static_cast<double>(row[j]) : 0;
          std::fill_n(row, padded, T{0});
          continue;
        }
        if (now != before && key > 0) {
          const T factor = std::exp(before - now);
          divisor[r] *= static_cast<double>(factor);
          for (int64_t j = 0; j < width; ++j) sum[j] *= factor;
        }
        largest[r] = now;
        divisor[r] += tiles::exponentials_of_row(row, now, padded);
        if (!scores.drops()) continue;
        scores.dropout_row(index, query + r, key, keys, own.dropout.data());
        for (int64_t j = 0; j < keys; ++j) row[j] *= own.dropout[j];
      }
      own.values.pack(v.at(index, key), v.row, 1, keys, sizes.values);
      own.values.product({own.scores.data(), side}, rows, own.sums.data(), width, true);
    }
    T* to = out.at(index, query);
    for (int64_t r = 0; r < rows; ++r, to += out.row) {
      const bool seen = divisor[r] != 0;
      const T factor = static_cast<T>(seen ? 1 / divisor[r] : 0), *sum = own.sums.data() + r * width;
      for (int64_t j = 0; j < sizes.values; ++j) to[j] = sum[j] * factor;
      log_sums[index * sizes.queries + query + r] = seen ? largest[r] + static_cast<T>(std::log(divisor[r])) : std::numeric_limits<T>::infinity();
    }
  }
};

}  // namespace

int64_t Attention::dropout_blocks(const Tensor& q, const Tensor& k) {
  const Sizes sizes(q, k, k);
  return sizes.count * sizes.queries * sizes.random_row() / (q.dtype() == f32 ? 4 : 2);
}

void attention(const Attention& how, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& log_sums) {
  const Sizes sizes(q, k, v);
  dispatch_floating("attention", q.dtype(), [&]<class T>() {
    const tiles::Scores<T> scores(how, sizes);
    const Forward<T> tile{
        sizes, scores, Matrices<const T>(q), Matrices<const T>(k), Matrices<const T>(v), Matrices<T>(out), static_cast<T*>(log_sums.raw())};
    const int64_t rows = (sizes.queries + queries_at_once - 1) / queries_at_once;
    std::deque<Workspace<T>> own;
    for (int64_t lane = 0; lane < std::min<int64_t>(thread_count(), sizes.count * rows); ++lane) own.emplace_back(sizes);
    tiles::for_each_lane(sizes.count * rows, [&](int64_t lane, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) tile(i / rows, i % rows * queries_at_once, own[static_cast<size_t>(lane)]);
    });
  });
}

Tensor attention_dropout(const Attention& how, const Tensor& q, const Tensor& k) {
  const Sizes sizes(q, k, k);
  Shape shape = q.shape();
  shape[q.rank() - 1] = sizes.keys;
  Tensor out = Tensor::empty(shape, q.dtype());
  dispatch_floating("attention", q.dtype(), [&]<class T>() {
    const tiles::Scores<T> scores(how, sizes);
    for (int64_t i = 0; i < sizes.count * sizes.queries; ++i)
      scores.dropout_row(i / sizes.queries, i % sizes.queries, 0, sizes.keys, static_cast<T*>(out.raw()) + i * sizes.keys);
  });
  return out;
}

}  // namespace scry::kernels
