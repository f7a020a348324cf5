#include <scry/core/kernels/attention_tiles.hpp>
#include <deque>

namespace scry::kernels {
namespace {

using tiles::Matrices;
using tiles::queries_at_once;
using tiles::side;
using tiles::Sizes;

template <class T>
struct Workspace {
  explicit Workspace(const Sizes& sizes)
      : keys(sizes.width, side),
        values(sizes.values, side),
        key_rows(side, sizes.width),
        queries(queries_at_once, sizes.width),
        gradients(queries_at_once, sizes.values),
        weights(queries_at_once * side),
        slopes(queries_at_once * side),
        dropout(queries_at_once * side),
        q(sizes.queries * PackedMatrix<T>::padded(sizes.width)),
        k(side * PackedMatrix<T>::padded(sizes.width)),
        v(side * PackedMatrix<T>::padded(sizes.values)),
        products(sizes.queries) {}
  PackedMatrix<T> keys, values;                  // of a tile, transposed
  PackedMatrix<T> key_rows, queries, gradients;  // and as they are
  memory::Scratch<T> weights, slopes, dropout;   // tiles of softmax, and of its gradient
  memory::Scratch<T> q, k, v;                    // sums of gradients: of all queries, and of a tile's keys and values
  memory::Scratch<T> products;                   // of each query's result and gradient
};

template <class T>
struct Backward {
  const Sizes& sizes;
  const tiles::Scores<T>& scores;
  T scale;
  Matrices<const T> g, q, k, v, out;
  Matrices<T> q_gradient, k_gradient, v_gradient;
  const T* log_sums;

  // All tiles of one index: the weights are computed again from the logarithms of their divisors.
  void operator()(int64_t index, Workspace<T>& own) const {
    const int64_t width = PackedMatrix<T>::padded(sizes.width), values = PackedMatrix<T>::padded(sizes.values);
    std::fill_n(own.q.data(), sizes.queries * width, T{0});
    const T *gradient = g.at(index), *result = out.at(index);
    for (int64_t i = 0; i < sizes.queries; ++i, gradient += g.row, result += out.row) own.products[i] = dot(gradient, result, sizes.values);
    for (int64_t key = 0; key < sizes.keys; key += side) {
      const int64_t keys = std::min(side, sizes.keys - key);
      own.keys.pack(k.at(index, key), 1, k.row, sizes.width, keys);
      own.values.pack(v.at(index, key), 1, v.row, sizes.values, keys);
      own.key_rows.pack(k.at(index, key), k.row, 1, keys, sizes.width);
      std::fill_n(own.k.data(), keys * width, T{0});
      std::fill_n(own.v.data(), keys * values, T{0});
      for (int64_t query = 0; query < sizes.queries; query += queries_at_once) {
        const int64_t rows = std::min(queries_at_once, sizes.queries - query), seen = std::min(keys, scores.end_of_keys(query + rows) - key);
        if (seen <= 0) continue;  // none of these queries sees these keys
        tile(index, query, rows, key, keys, own);
        own.gradients.pack(g.at(index, query), g.row, 1, rows, sizes.values);
        own.gradients.product({weights(own), 1, side}, seen, own.v.data(), values, true);
        own.queries.pack(q.at(index, query), q.row, 1, rows, sizes.width);
        own.queries.product({own.slopes.data(), 1, side}, seen, own.k.data(), width, true);
        own.key_rows.product({own.slopes.data(), side}, rows, own.q.data() + query * width, width, true, seen);
      }
      copy_rows(own.k.data(), width, keys, sizes.width, k_gradient.at(index, key), k_gradient.row);
      copy_rows(own.v.data(), values, keys, sizes.values, v_gradient.at(index, key), v_gradient.row);
    }
    copy_rows(own.q.data(), width, sizes.queries, sizes.width, q_gradient.at(index), q_gradient.row);
  }

 private:
  static T dot(const T* a, const T* b, int64_t n) {
    constexpr int64_t lanes = 16;
    T lane[lanes]{}, sum{0};
    int64_t j = 0;
    for (; j + lanes <= n; j += lanes)
      for (int64_t l = 0; l < lanes; ++l) lane[l] += a[j + l] * b[j + l];
    for (; j < n; ++j) sum += a[j] * b[j];
    for (const T value : lane) sum += value;
    return sum;
  }
  static void copy_rows(const T* from, int64_t from_row, int64_t rows, int64_t count, T* to, int64_t to_row) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < count; ++j) to[i * to_row + j] = from[i * from_row + j];
  }

  // The weights by which values were multiplied: with dropout, where there is one.
  const T* weights(const Workspace<T>& own) const { return scores.drops() ? own.dropout.data() : own.weights.data(); }

  // The weights of a tile, and the gradients of its scores before they were scaled.
  void tile(int64_t index, int64_t query, int64_t rows, int64_t key, int64_t keys, Workspace<T>& own) const {
    const int64_t padded = PackedMatrix<T>::padded(keys);
    own.keys.product({q.at(index, query), q.row}, rows, own.weights.data(), side);
    scores.finish(own.weights.data(), index, query, rows, key, keys, padded);
    own.values.product({g.at(index, query), g.row}, rows, own.slopes.data(), side);
    for (int64_t r = 0; r < rows; ++r) {
      T *weight = own.weights.data() + r * side, *slope = own.slopes.data() + r * side, *drop = own.dropout.data() + r * side;
      tiles::exponentials_of_row(weight, log_sums[index * sizes.queries + query + r], padded);
      if (scores.drops()) {
        scores.dropout_row(index, query + r, key, keys, drop);
        for (int64_t j = 0; j < keys; ++j) {
          slope[j] *= drop[j];
          drop[j] *= weight[j];
        }
      }
      const T product = own.products[query + r];
      for (int64_t j = 0; j < padded; ++j) slope[j] = weight[j] * (slope[j] - product) * scale;
    }
  }
};

}  // namespace

void attention_gradients(const Attention& how, const Tensor& g, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out,
                         const Tensor& log_sums, const Tensor& q_gradient, const Tensor& k_gradient, const Tensor& v_gradient) {
  const Sizes sizes(q, k, v);
  dispatch_floating("attention", q.dtype(), [&]<class T>() {
    using In = Matrices<const T>;
    using Out = Matrices<T>;
    const tiles::Scores<T> scores(how, sizes);
    const Backward<T> all{sizes, scores,  static_cast<T>(how.scale), In(g),           In(q),           In(k),
                          In(v), In(out), Out(q_gradient),           Out(k_gradient), Out(v_gradient), static_cast<const T*>(log_sums.raw())};
    std::deque<Workspace<T>> own;
    for (int64_t lane = 0; lane < std::min<int64_t>(thread_count(), sizes.count); ++lane) own.emplace_back(sizes);
    tiles::for_each_lane(sizes.count, [&](int64_t lane, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) all(i, own[static_cast<size_t>(lane)]);
    });
  });
}

}  // namespace scry::kernels
