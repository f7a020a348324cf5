#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <scry/core/kernels/resample.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

int64_t* integers(const Tensor& x) { return static_cast<int64_t*>(x.raw()); }
double* doubles(const Tensor& x) { return static_cast<double*>(x.raw()); }

// The map applied to neighbouring elements.
template <class A, class T>
void combine_line(const Resampling& map, const T* line, T* out) {
  const int64_t *first = integers(map.first), *source = integers(map.source);
  const double* share = doubles(map.share);
  for (int64_t o = 0; o < map.out; ++o) {
    A sum{0};
    for (int64_t k = first[o]; k < first[o + 1]; ++k) sum += static_cast<A>(share[k]) * static_cast<A>(line[source[k]]);
    out[o] = static_cast<T>(sum);
  }
}

// Row o of the map applied to slices of `inner` neighbouring elements, added up in A.
template <class A, class T>
void combine(const Resampling& map, int64_t o, const T* slices, int64_t inner, T* out) {
  constexpr int64_t most = 64;  // sums that stay in L1
  A sums[most];
  const int64_t *first = integers(map.first), *source = integers(map.source);
  for (int64_t begin = 0; begin < inner; begin += most) {
    const int64_t width = std::min(most, inner - begin);
    if (first[o] == first[o + 1]) std::fill_n(sums, width, A{0});
    for (int64_t k = first[o]; k < first[o + 1]; ++k) {
      const T* from = slices + source[k] * inner + begin;
      const auto share = static_cast<A>(doubles(map.share)[k]);
      if (k == first[o])
        for (int64_t i = 0; i < width; ++i) sums[i] = share * static_cast<A>(from[i]);
      else
        for (int64_t i = 0; i < width; ++i) sums[i] += share * static_cast<A>(from[i]);
    }
    for (int64_t i = 0; i < width; ++i) out[begin + i] = static_cast<T>(sums[i]);
  }
}

}  // namespace

Resampling::Resampling(int64_t from, int64_t to, int64_t most_terms)
    : in(from), out(to), first(Tensor::empty({to + 1}, i64)), source(Tensor::empty({most_terms}, i64)), share(Tensor::empty({most_terms}, f64)) {
  std::fill_n(integers(first), to + 1, 0);
}

void Resampling::add(int64_t from, double factor) {
  const int64_t place = integers(first)[rows_ + 1]++;
  integers(source)[place] = from;
  doubles(share)[place] = factor;
}

void Resampling::end_row() {
  const int64_t count = integers(first)[++rows_];
  if (rows_ < out) integers(first)[rows_ + 1] = count;
}

Resampling Resampling::transposed() const {
  const int64_t count = integers(first)[out];
  Resampling t(out, in, count);
  int64_t* starts = integers(t.first);
  for (int64_t k = 0; k < count; ++k) ++starts[integers(source)[k] + 1];
  for (int64_t i = 0; i < in; ++i) starts[i + 1] += starts[i];
  const memory::Scratch<int64_t> next(in);
  std::copy_n(starts, in, next.data());
  for (int64_t o = 0; o < out; ++o)
    for (int64_t k = integers(first)[o]; k < integers(first)[o + 1]; ++k) {
      const int64_t place = next[integers(source)[k]]++;
      integers(t.source)[place] = o;
      doubles(t.share)[place] = doubles(share)[k];
    }
  return t;
}

Tensor resample(const Tensor& input, int axis, const Resampling& map) {
  // Numbers that lie far apart, those of neighbouring channels, are only brought together where many are made of them.
  const bool pixels = axis >= 2 && (!input.is_contiguous() || map.out > map.in);
  const Tensor x = pixels ? channels_last(input) : contiguous(input);
  Shape shape = x.shape();
  require(shape[axis] == map.in, "resample: a map of ", map.in, " places doesn't fit axis ", axis, " of shape ", shape);
  shape[axis] = map.out;
  Tensor out = pixels ? empty_channels_last(shape, x.dtype()) : Tensor::empty(shape, x.dtype());
  if (out.numel() == 0) return out;
  int64_t inner = pixels ? shape[1] : 1;
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  constexpr int64_t few = 4;  // terms that need no double for their sum
  const int64_t terms = (integers(map.first)[map.out] + map.out - 1) / map.out;
  dispatch_floating("resample", x.dtype(), [&]<class T>() {
    const T* from = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(out.raw());
    const auto in_units = [&](int64_t size, const auto& unit) {
      parallel_for(out.numel() / size, grain_for(size * (terms + 1) * static_cast<int64_t>(sizeof(T))), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) unit(i);
      });
    };
    if (inner == 1) {
      const auto line = terms <= few ? combine_line<T, T> : combine_line<double, T>;
      return in_units(map.out, [&](int64_t i) { line(map, from + i * map.in, to + i * map.out); });
    }
    const auto row = terms <= few ? combine<T, T> : combine<double, T>;
    in_units(inner, [&](int64_t i) { row(map, i % map.out, from + i / map.out * map.in * inner, inner, to + i * inner); });
  });
  return out;
}

}  // namespace scry::kernels
