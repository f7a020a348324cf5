#include <scry/core/kernels/channel_registers.hpp>
#include <scry/core/kernels/conv2d_plan.hpp>
#include <scry/core/kernels/pool2d.hpp>
#include <scry/core/kernels/transpose.hpp>
#include <algorithm>
#include <limits>
#include <span>
#include <xsimd/xsimd.hpp>

namespace scry::kernels {
namespace {

using conv::Table;

// With `shared` windows share the axis out; they are of two sizes at most.
struct Axis : conv::Axis {
  bool shared;
  Axis(const Window2d& window, size_t i, int64_t from, int64_t to)
      : conv::Axis(conv::forward_axis(window, i, from, to)), shared(window.results[i] > 0) {}
  int64_t position(int64_t i) const { return shared ? i * in / grid : conv::Axis::position(i); }
  int64_t first_tap(int64_t i) const { return shared ? 0 : conv::Axis::first_tap(i); }
  int64_t end_tap(int64_t i) const { return shared ? ((i + 1) * in + grid - 1) / grid - position(i) : conv::Axis::end_tap(i); }
};

// A pooling of channels-last images. Forward passes run over output rows; backward passes over input rows, each of which gathers from the
// windows that reach it, so that no two threads write to the same place.
struct Plan {
  struct Tap {
    int64_t offset, index;  // from the first element of a window
  };
  int64_t images, channels;
  Axis y, x;
  Table<Tap> taps{};
  std::pair<int64_t, int64_t> together{0, 0};  // the windows of a row that lie wholly on the image, neighbours one pixel apart
  // How many windows from j on the kernels can take as one with as many times the channels.
  int64_t run_from(int64_t j) const { return j >= together.first && j < together.second ? together.second - j : 1; }
  int64_t output_rows() const { return images * y.grid; }
  int64_t input_rows() const { return images * y.in; }
};

Plan make_plan(const Shape& input, const Shape& output, const Window2d& window) {
  Plan p{input[0], input[1], {window, 0, input[2], output[2]}, {window, 1, input[3], output[3]}};
  if (p.x.step == 1 && !p.x.shared) p.together = p.x.inner_points();
  if (p.y.taps > p.y.in || p.x.taps > p.x.in) return p;  // no window is whole
  p.taps.reserve(static_cast<size_t>(p.y.taps * p.x.taps));
  for (int64_t a = 0; a < p.y.taps; ++a)
    for (int64_t b = 0; b < p.x.taps; ++b) p.taps.push_back({(a * p.y.spacing * p.x.in + b * p.x.spacing) * p.channels, a * p.x.taps + b});
  return p;
}

// The plan of a backward pass, in which the output's size is that of the gradient.
Plan make_checked_plan(std::string_view op, const Shape& input, const Shape& output, const Window2d& window) {
  require(input.rank() == 4 && output.rank() == 4, op, ": expected shapes [N, C, H, W], got ", input, " and ", output);
  const Shape floor = pool2d_output_shape(op, input, window, false), ceil = pool2d_output_shape(op, input, window, true);
  require(output == floor || output == ceil, op, ": pooling ", input, " gives ", floor, ", got ", output);
  return make_plan(input, output, window);
}

// Runs body(row, from, to) for the rows that one thread takes at a time.
template <class F>
void for_rows(int64_t rows, int64_t row_bytes, const F& body) {
  parallel_for(rows, grain_for(row_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}

// Calls body(row, its image's input from row `first` on, first) for output rows. Images that lie in planes are turned a band at a time, so that the
// turned ones stay in a cache.
template <class T, class F>
void for_output_rows(const Plan& p, const Tensor& x, const F& body) {
  const bool planes = x.is_contiguous() && !is_channels_last(x);
  const Tensor in = planes ? x : channels_last(x);
  const T* images = static_cast<const T*>(in.raw());
  const int64_t row_size = p.x.in * p.channels, work = p.x.grid * p.channels * p.y.taps * p.x.taps * static_cast<int64_t>(sizeof(T));
  if (!planes) return for_rows(p.output_rows(), work, [&](int64_t row) { body(row, images + row / p.y.grid * p.y.in * row_size, 0); });
  constexpr int64_t in_cache = 1 << 18;
  const int64_t rows_in_cache = in_cache / static_cast<int64_t>(sizeof(T)) / row_size;
  const conv::Cuts bands(p.y.grid, std::clamp<int64_t>(rows_in_cache * p.y.grid / p.y.in, 1, p.y.grid));
  const auto input_of = [&](int64_t band) {
    const int64_t last = bands.begin(band + 1) - 1, first = std::clamp<int64_t>(p.y.position(bands.begin(band)), 0, p.y.in);
    return std::pair{first, std::clamp<int64_t>(p.y.position(last) + (p.y.taps - 1) * p.y.spacing + 1, first, p.y.in)};
  };
  int64_t most = 0;
  for (int64_t band = 0; band < bands.count; ++band) most = std::max(most, input_of(band).second - input_of(band).first);
  const int64_t units = p.images * bands.count;
  conv::Scratch scratch(most * row_size * static_cast<int64_t>(sizeof(T)), units);
  parallel_for(units, grain_for(work * bands.length(0)), [&](int64_t begin, int64_t end) {
    const conv::Scratch::Lease lease(scratch);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t image = unit / bands.count, band = unit % bands.count;
      const auto [first, last] = input_of(band);
      const int64_t plane = p.y.in * p.x.in;
      transpose(images + image * plane * p.channels + first * p.x.in, plane, p.channels, (last - first) * p.x.in, lease.as<T>(), p.channels);
      for (int64_t i = bands.begin(band); i < bands.begin(band + 1); ++i) body(image * p.y.grid + i, lease.as<T>(), first);
    }
  });
}

DType index_type(const Window2d& window) { return window.kernel[0] * window.kernel[1] <= 256 ? u8 : i64; }

template <class F>
void dispatch_index(DType dtype, F&& function) {
  dtype == u8 ? function.template operator()<uint8_t>() : function.template operator()<int64_t>();
}

void require_indices(std::string_view op, const Tensor& indices, const Shape& shape, const Window2d& window) {
  require(indices.dtype() == index_type(window) && indices.shape() == shape, op, ": expected indices of max_pool2d, ", index_type(window), " ", shape,
          ", got ", indices.dtype(), " ", indices.shape());
}

// Which windows reach a position of an axis: pairs of window and tap, position by position.
struct Reaching {
  struct Hit {
    int64_t window, tap;
  };
  Table<Hit> hits;
  Table<int64_t> first;  // where a position's hits begin; one more than there are positions

  explicit Reaching(const Axis& axis) : first(static_cast<size_t>(axis.in) + 1) {
    const auto visit = [&](auto&& see) {
      for (int64_t i = 0; i < axis.grid; ++i)
        for (int64_t k = axis.first_tap(i); k < axis.end_tap(i); ++k) see(static_cast<size_t>(axis.position(i) + k * axis.spacing), Hit{i, k});
    };
    visit([&](size_t position, Hit) { ++first[position + 1]; });
    for (size_t p = 1; p < first.size(); ++p) first[p] += first[p - 1];
    hits.resize(static_cast<size_t>(first.back()));
    Table<int64_t> next = first;
    visit([&](size_t position, Hit hit) { hits[static_cast<size_t>(next[position]++)] = hit; });
  }
  std::span<const Hit> at(int64_t position) const {
    const auto p = static_cast<size_t>(position);
    return {hits.data() + first[p], hits.data() + first[p + 1]};
  }
};

template <class V, class Index>
V load_index(const Index* from) {
  if constexpr (std::is_arithmetic_v<V>) {
    return static_cast<V>(*from);
  } else {
    typename V::value_type values[V::size];
    for (size_t i = 0; i < V::size; ++i) values[i] = static_cast<typename V::value_type>(static_cast<int32_t>(from[i]));
    return V::load_unaligned(values);
  }
}
template <class V, class Index>
void store_index(const V& index, Index* to) {
  if constexpr (std::is_arithmetic_v<V>) {
    *to = static_cast<Index>(index);
  } else {
    typename V::value_type values[V::size];
    index.store_unaligned(values);
    for (size_t i = 0; i < V::size; ++i) to[i] = static_cast<Index>(static_cast<int32_t>(values[i]));
  }
}
template <class C, class V>
V choose(const C& condition, const V& yes, const V& no) {
  if constexpr (std::is_arithmetic_v<V>)
    return condition ? yes : no;
  else
    return xsimd::select(condition, yes, no);
}

// The elements of one window that lie on the image.
struct Box {
  const Plan& p;
  int64_t top, bottom, left, right, corner;  // taps; where tap (0, 0) lies from input row `first` on
  bool whole;
  Box(const Plan& plan, int64_t first, int64_t i, int64_t j)
      : p(plan),
        top(p.y.first_tap(i)),
        bottom(p.y.end_tap(i)),
        left(p.x.first_tap(j)),
        right(p.x.end_tap(j)),
        corner(((p.y.position(i) - first) * p.x.in + p.x.position(j)) * p.channels),
        whole(top == 0 && left == 0 && bottom == p.y.taps && right == p.x.taps) {}
  int64_t first_index() const { return top < bottom && left < right ? top * p.x.taps + left : 0; }

  // Calls visit(offset, index) for each, in row-major order; windows that lie wholly on the image, nearly all, have a list of theirs.
  template <class F>
  void for_taps(const F& visit) const {
    if (whole) {
      for (const Plan::Tap tap : p.taps) visit(corner + tap.offset, tap.index);
      return;
    }
    for (int64_t a = top; a < bottom; ++a)
      for (int64_t b = left; b < right; ++b) visit(corner + (a * p.y.spacing * p.x.in + b * p.x.spacing) * p.channels, a * p.x.taps + b);
  }
};

// One output row of max pooling, from the image's input row `first` on. Indices are counted in T, which is exact, and turned into integers at the
// end.
template <class T, class Index>
void max_row(const Plan& p, const T* image, int64_t first, int64_t i, T* values, Index* indices) {
  for (int64_t j = 0, size = 0; j < p.x.grid; j += size / p.channels, values += size, indices += size) {
    const Box box(p, first, i, j);
    size = p.run_from(j) * p.channels;
    for_channels<T>(size, [&]<class V>(int64_t c) {
      V best(-std::numeric_limits<T>::infinity()), index(static_cast<T>(box.first_index()));
      box.for_taps([&](int64_t at, int64_t tap) {
        const V value = load<V>(image + at + c);
        // What isn't smaller or equal is larger or NaN; once NaN is there it stays.
        const auto larger = !(value <= best);
        const auto takes = larger & (best == best);
        best = choose(takes, value, best);
        index = choose(takes, V(static_cast<T>(tap)), index);
      });
      store(best, values + c);
      store_index(index, indices + c);
    });
  }
}

// One input row of the gradient of max pooling, gathered from the windows that reach it.
template <class T, class Index>
void max_grad_row(const Plan& p, const Reaching& columns, std::span<const Reaching::Hit> rows, const T* gradient, const Index* indices, T* to) {
  for (int64_t w = 0; w < p.x.in; ++w, to += p.channels) {
    const auto hits = columns.at(w);
    const auto part = [&]<class V>(const Reaching::Hit& y, const Reaching::Hit& x, int64_t c) {
      const int64_t at = (y.window * p.x.grid + x.window) * p.channels + c;
      const auto taken = load_index<V>(indices + at) == V(static_cast<T>(y.tap * p.x.taps + x.tap));
      return choose(taken, load<V>(gradient + at), V(T{0}));
    };
    if (rows.size() == 1 && hits.size() == 1) {  // windows that don't overlap
      for_channels<T>(p.channels, [&]<class V>(int64_t c) { store(part.template operator()<V>(rows[0], hits[0], c), to + c); });
      continue;
    }
    for_channels<T>(p.channels, [&]<class V>(int64_t c) {
      V sum(T{0});
      for (const auto& y : rows)
        for (const auto& x : hits) sum += part.template operator()<V>(y, x, c);
      store(sum, to + c);
    });
  }
}

// What an element of each window counts for in its mean: [y.grid, x.grid].
template <class T>
Table<T> shares(const Plan& p, const Window2d& window, bool count_include_pad, int64_t divisor) {
  if (divisor != 0) return Table<T>(static_cast<size_t>(p.y.grid * p.x.grid), T{1} / static_cast<T>(divisor));
  const auto size = [&](Axis axis, int64_t i, int64_t padding_after) {
    if (!count_include_pad) return std::max<int64_t>(1, axis.end_tap(i) - axis.first_tap(i));
    axis.in += padding_after;
    return std::max<int64_t>(1, axis.end_tap(i));
  };
  Table<T> all;
  all.reserve(static_cast<size_t>(p.y.grid * p.x.grid));
  for (int64_t i = 0; i < p.y.grid; ++i)
    for (int64_t j = 0; j < p.x.grid; ++j)
      all.push_back(T{1} / static_cast<T>(size(p.y, i, window.padding_after[0]) * size(p.x, j, window.padding_after[1])));
  return all;
}

}  // namespace

Shape pool2d_output_shape(std::string_view op, const Shape& input, const Window2d& window, bool ceil_mode) {
  require(input.rank() == 4, op, ": expected images [N, C, H, W], got shape ", input);
  const auto count = [&](int axis) {
    const int64_t given = window.results[static_cast<size_t>(axis)];
    return given > 0 ? given : window_count(op, window, axis, input[2 + axis], ceil_mode);
  };
  return {input[0], input[1], count(0), count(1)};
}

Pooled max_pool2d(const Tensor& x, const Window2d& window, bool ceil_mode) {
  constexpr std::string_view op = "max_pool2d";
  const Shape shape = pool2d_output_shape(op, x.shape(), window, ceil_mode);
  require(window.kernel[0] * window.kernel[1] <= 1 << 24, op, ": a kernel of ", window.kernel[0], " x ", window.kernel[1],
          " has more than 2^24 elements, too many to count");
  const Plan p = make_plan(x.shape(), shape, window);
  Pooled out{empty_channels_last(shape, x.dtype()), empty_channels_last(shape, index_type(window))};
  if (out.values.numel() == 0) return out;
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    dispatch_index(out.indices.dtype(), [&]<class Index>() {
      T* values = static_cast<T*>(out.values.raw());
      auto* indices = static_cast<Index*>(out.indices.raw());
      const int64_t size = p.x.grid * p.channels;
      for_output_rows<T>(p, x, [&](int64_t row, const T* image, int64_t first) {
        max_row(p, image, first, row % p.y.grid, values + row * size, indices + row * size);
      });
    });
  });
  return out;
}

Tensor max_pool2d_grad(const Tensor& gradient, const Tensor& indices, const Shape& input, const Window2d& window) {
  constexpr std::string_view op = "max_pool2d_grad";
  const Plan p = make_checked_plan(op, input, gradient.shape(), window);
  require_indices(op, indices, gradient.shape(), window);
  const Tensor in = channels_last(gradient), taken = channels_last(indices);
  Tensor out = empty_channels_last(input, gradient.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(op, gradient.dtype(), [&]<class T>() {
    dispatch_index(taken.dtype(), [&]<class Index>() {
      const T* gradients = static_cast<const T*>(in.raw());
      const auto* index = static_cast<const Index*>(taken.raw());
      T* to = static_cast<T*>(out.raw());
      const int64_t size = p.x.in * p.channels, plane = p.y.grid * p.x.grid * p.channels;
      const Reaching rows(p.y), columns(p.x);
      for_rows(p.input_rows(), size * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
        const int64_t image = row / p.y.in;
        max_grad_row(p, columns, rows.at(row % p.y.in), gradients + image * plane, index + image * plane, to + row * size);
      });
    });
  });
  return out;
}

Tensor max_pool2d_gather(const Tensor& x, const Tensor& indices, const Window2d& window) {
  constexpr std::string_view op = "max_pool2d_gather";
  const Shape shape = indices.shape();
  const Plan p = make_checked_plan(op, x.shape(), shape, window);
  require_indices(op, indices, shape, window);
  const Tensor in = channels_last(x), taken = channels_last(indices);
  Tensor out = empty_channels_last(shape, x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    dispatch_index(taken.dtype(), [&]<class Index>() {
      const T* images = static_cast<const T*>(in.raw());
      const auto* index = static_cast<const Index*>(taken.raw());
      T* to = static_cast<T*>(out.raw());
      const int64_t channels = p.channels, size = p.x.grid * channels;
      for_rows(p.output_rows(), size * 2 * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
        const T* image = images + row / p.y.grid * p.y.in * p.x.in * channels;
        for (int64_t k = 0; k < size; ++k) {
          const auto tap = static_cast<int64_t>(index[row * size + k]);
          const int64_t h = p.y.position(row % p.y.grid) + tap / p.x.taps * p.y.spacing;
          const int64_t w = p.x.position(k / channels) + tap % p.x.taps * p.x.spacing;
          const bool inside = h >= 0 && h < p.y.in && w >= 0 && w < p.x.in;
          to[row * size + k] = inside ? image[(h * p.x.in + w) * channels + k % channels] : T{0};
        }
      });
    });
  });
  return out;
}

Tensor avg_pool2d(const Tensor& x, const Window2d& window, bool ceil_mode, bool count_include_pad, int64_t divisor) {
  constexpr std::string_view op = "avg_pool2d";
  const Shape shape = pool2d_output_shape(op, x.shape(), window, ceil_mode);
  const Plan p = make_plan(x.shape(), shape, window);
  Tensor out = empty_channels_last(shape, x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    T* means = static_cast<T*>(out.raw());
    const auto share = shares<T>(p, window, count_include_pad, divisor);
    const int64_t size = p.x.grid * p.channels;
    for_output_rows<T>(p, x, [&](int64_t row, const T* image, int64_t first) {
      const int64_t i = row % p.y.grid;
      for (int64_t j = 0, run = 0; j < p.x.grid; j += run) {
        const Box box(p, first, i, j);
        run = p.run_from(j);
        const T each = share[static_cast<size_t>(i * p.x.grid + j)];
        for_channels<T>(run * p.channels, [&]<class V>(int64_t c) {
          V sum(T{0});
          box.for_taps([&](int64_t at, int64_t) { sum += load<V>(image + at + c); });
          store(V(sum * V(each)), means + row * size + j * p.channels + c);
        });
      }
    });
  });
  return out;
}

Tensor avg_pool2d_grad(const Tensor& gradient, const Shape& input, const Window2d& window, bool count_include_pad, int64_t divisor) {
  constexpr std::string_view op = "avg_pool2d_grad";
  const Plan p = make_checked_plan(op, input, gradient.shape(), window);
  const Tensor in = channels_last(gradient);
  Tensor out = empty_channels_last(input, gradient.dtype());
  if (out.numel() == 0) return out;
  const Reaching rows(p.y), columns(p.x);
  dispatch_floating(op, gradient.dtype(), [&]<class T>() {
    const T* gradients = static_cast<const T*>(in.raw());
    T* to = static_cast<T*>(out.raw());
    const auto share = shares<T>(p, window, count_include_pad, divisor);
    const int64_t size = p.x.in * p.channels, plane = p.y.grid * p.x.grid * p.channels;
    for_rows(p.input_rows(), size * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
      const T* of_image = gradients + row / p.y.in * plane;
      const auto over_row = rows.at(row % p.y.in);
      for (int64_t w = 0; w < p.x.in; ++w) {
        const auto over_column = columns.at(w);
        for_channels<T>(p.channels, [&]<class V>(int64_t c) {
          V sum(T{0});
          for (const auto& y : over_row)
            for (const auto& x : over_column) {
              const int64_t at = y.window * p.x.grid + x.window;
              sum += load<V>(of_image + at * p.channels + c) * V(share[static_cast<size_t>(at)]);
            }
          store(sum, to + row * size + w * p.channels + c);
        });
      }
    });
  });
  return out;
}

}  // namespace scry::kernels
