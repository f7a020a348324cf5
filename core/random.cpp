#include <Random123/philox.h>

#include <scry/core/parallel.hpp>
#include <scry/core/random.hpp>
#include <scry/core/random_stream.hpp>
#include <scry/core/room.hpp>
#include <cmath>
#include <numbers>
#include <numeric>

namespace scry {
namespace {

__extension__ using uint128 = unsigned __int128;

struct Block {
  uint32_t words[4];
  uint64_t first() const { return words[0] | uint64_t{words[1]} << 32; }
  uint64_t second() const { return words[2] | uint64_t{words[3]} << 32; }
};

Block philox(uint64_t seed, uint64_t counter) {
  const r123::Philox4x32::ctr_type in{{static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0}};
  const r123::Philox4x32::key_type key{{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}};
  const auto out = r123::Philox4x32()(in, key);
  return {{out[0], out[1], out[2], out[3]}};
}

// Uniform in [0, 1) with all the bits that the type holds.
template <class T>
struct Numbers;
template <>
struct Numbers<float> {
  static constexpr int64_t per_block = 4;
  static float uniform(const Block& block, int64_t i) { return static_cast<float>(block.words[i] >> 8) * 0x1p-24f; }
};
template <>
struct Numbers<double> {
  static constexpr int64_t per_block = 2;
  static double uniform(const Block& block, int64_t i) { return static_cast<double>((i ? block.second() : block.first()) >> 11) * 0x1p-53; }
};

// Calls fill(out, uniforms, count) once a block: `count` values, the last block's being fewer.
template <class T, class F>
void fill_blocks(Tensor& out, Generator& generator, const F& fill) {
  constexpr int64_t each = Numbers<T>::per_block;
  const int64_t count = out.numel(), blocks = (count + each - 1) / each;
  const uint64_t start = generator.reserve(static_cast<uint64_t>(blocks)), seed = generator.seed();
  T* data = out.mutable_data<T>();
  parallel_for(blocks, 2048, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const Block block = philox(seed, start + static_cast<uint64_t>(b));
      T uniforms[each], values[each];
      for (int64_t i = 0; i < each; ++i) uniforms[i] = Numbers<T>::uniform(block, i);
      fill(values, uniforms);
      for (int64_t i = 0; i < std::min(each, count - b * each); ++i) data[b * each + i] = values[i];
    }
  });
}

}  // namespace

namespace {

// An integer in [0, range), every one as likely.
uint64_t bounded(Generator& generator, uint64_t range) {
  const uint64_t rejected = (0 - range) % range;
  for (;;) {
    const auto product = static_cast<uint128>(generator.next()) * range;
    if (static_cast<uint64_t>(product) >= rejected) return static_cast<uint64_t>(product >> 64);
  }
}

}  // namespace

uint64_t Generator::next() { return philox(seed_, reserve(1)).first(); }

int64_t Generator::below(int64_t n) {
  require(n >= 1, "Generator::below: expected n >= 1, got ", n);
  return static_cast<int64_t>(bounded(*this, static_cast<uint64_t>(n)));
}

uint64_t Generator::reserve(uint64_t blocks) {
  const uint64_t start = counter_;
  counter_ += blocks;
  return start;
}

template <class T>
void RandomStream::bernoulli(int64_t first, int64_t n, double p, T value, T* out) const {
  constexpr int64_t each = Numbers<T>::per_block;
  const T limit = static_cast<T>(p);
  for (int64_t i = 0; i < n; i += each) {
    const Block block = philox(seed, start + static_cast<uint64_t>((first + i) / each));
    for (int64_t j = 0; j < std::min(each, n - i); ++j) out[i + j] = Numbers<T>::uniform(block, j) < limit ? value : T{0};
  }
}
template void RandomStream::bernoulli(int64_t, int64_t, double, float, float*) const;
template void RandomStream::bernoulli(int64_t, int64_t, double, double, double*) const;

Generator& default_generator() {
  thread_local Generator generator;
  return generator;
}

void manual_seed(uint64_t seed) { default_generator() = Generator(seed); }

Tensor uniform(const Shape& shape, double low, double high, DType dtype, Generator& generator) {
  require(low <= high, "uniform: expected low <= high, got ", low, " and ", high);
  Tensor out = empty_for("uniform", shape, dtype);
  dispatch_floating("uniform", dtype, [&]<class T>() {
    const T from = static_cast<T>(low), range = static_cast<T>(high - low);
    require(std::isfinite(from) && std::isfinite(range), "uniform: ", low, " to ", high, " is too wide for ", dtype);
    const T below_high = std::nextafter(static_cast<T>(high), from);
    fill_blocks<T>(out, generator, [=](T* values, const T* u) {
      // Rounding may reach `high` itself.
      for (int64_t i = 0; i < Numbers<T>::per_block; ++i) values[i] = std::min(from + range * u[i], std::max(below_high, from));
    });
  });
  return out;
}

Tensor randn(const Shape& shape, DType dtype, Generator& generator) {
  Tensor out = empty_for("randn", shape, dtype);
  dispatch_floating("randn", dtype, [&]<class T>() {
    fill_blocks<T>(out, generator, [](T* values, const T* u) {
      for (int64_t i = 0; i < Numbers<T>::per_block; i += 2) {
        const T radius = std::sqrt(T{-2} * std::log(T{1} - u[i])), angle = 2 * std::numbers::pi_v<T> * u[i + 1];
        values[i] = radius * std::cos(angle);
        values[i + 1] = radius * std::sin(angle);
      }
    });
  });
  return out;
}

Tensor bernoulli(const Shape& shape, double p, DType dtype, Generator& generator) {
  require(p >= 0 && p <= 1, "bernoulli: expected a probability from 0 to 1, got ", p);
  Tensor out = empty_for("bernoulli", shape, dtype);
  dispatch_floating("bernoulli", dtype, [&]<class T>() {
    fill_blocks<T>(out, generator, [p = static_cast<T>(p)](T* values, const T* u) {
      for (int64_t i = 0; i < Numbers<T>::per_block; ++i) values[i] = u[i] < p ? T{1} : T{0};
    });
  });
  return out;
}

Tensor randint(int64_t low, int64_t high, const Shape& shape, Generator& generator) {
  require(low < high, "randint: expected low < high, got ", low, " and ", high);
  Tensor out = empty_for("randint", shape, i64);
  auto* data = out.mutable_data<int64_t>();
  const uint64_t from = static_cast<uint64_t>(low), range = static_cast<uint64_t>(high) - from;  // may be more than a signed integer holds
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = static_cast<int64_t>(from + bounded(generator, range));
  return out;
}

Tensor randperm(int64_t n, Generator& generator) {
  require(n >= 0, "randperm: expected n >= 0, got ", n);
  Tensor out = empty_for("randperm", {n}, i64);
  auto* data = out.mutable_data<int64_t>();
  std::iota(data, data + n, int64_t{0});
  for (int64_t i = n - 1; i > 0; --i) std::swap(data[i], data[generator.below(i + 1)]);  // Fisher and Yates
  return out;
}

}  // namespace scry
