#include <scry/core/io/element_type.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace scry::io {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian unless they say otherwise, and are copied as they are");

float from_half(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
  if (exponent == 0) return (sign ? -0x1p-24f : 0x1p-24f) * static_cast<float>(fraction);
  return std::bit_cast<float>(sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13);
}
float from_bfloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

template <class From, class To, auto function = [](From value) { return static_cast<To>(value); }>
size_t convert(const uint8_t* in, void* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, in + i * sizeof(From), sizeof(From));
    static_cast<To*>(out)[i] = function(value);
  }
  return count;
}

// Elements of which some have no value: of these nothing changes but the meaning of the bytes.
template <class T, T largest>
size_t copy_up_to(const uint8_t* in, void* out, size_t count) {
  std::memcpy(out, in, count * sizeof(T));
  const T* values = static_cast<const T*>(out);
  return static_cast<size_t>(std::find_if(values, values + count, [](T value) { return value > largest; }) - values);
}

constexpr ElementType all_types[] = {
    {"F32", "f4", 4, f32, nullptr},
    {"F64", "f8", 8, f64, nullptr},
    {"I64", "i8", 8, i64, nullptr},
    {"U8", "u1", 1, u8, nullptr},
    {"BOOL", "b1", 1, boolean, copy_up_to<uint8_t, 1>},
    {"F16", "f2", 2, f32, convert<uint16_t, float, from_half>},
    {"BF16", "", 2, f32, convert<uint16_t, float, from_bfloat>},
    {"I32", "i4", 4, i64, convert<int32_t, int64_t>},
    {"I16", "i2", 2, i64, convert<int16_t, int64_t>},
    {"I8", "i1", 1, i64, convert<int8_t, int64_t>},
    {"U64", "u8", 8, i64, copy_up_to<uint64_t, uint64_t{INT64_MAX}>},
    {"U32", "u4", 4, i64, convert<uint32_t, int64_t>},
    {"U16", "u2", 2, i64, convert<uint16_t, int64_t>},
};

}  // namespace

std::span<const ElementType> element_types() { return all_types; }

const ElementType& stored_as(DType dtype) {
  return *std::find_if(std::begin(all_types), std::end(all_types), [&](const ElementType& t) { return t.dtype == dtype; });  // such types come first
}

// Sizes of zero don't excuse the others: strides multiply those.
std::optional<uint64_t> stored_bytes(const ElementType& type, const Shape& shape) {
  auto bytes = static_cast<int64_t>(std::max(type.bytes, size_of(type.dtype)));
  for (int64_t size : shape)
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes)) return std::nullopt;
  return static_cast<uint64_t>(element_count(shape)) * type.bytes;
}

Tensor read_elements(const ElementType& type, const Shape& shape, bool big_endian, NextBytes next, const std::string& what) {
  Tensor tensor = Tensor::empty(shape, type.dtype);
  auto* out = static_cast<uint8_t*>(tensor.raw());
  const auto count = static_cast<size_t>(tensor.numel());
  if (!type.convert && !big_endian) {
    next({out, count * type.bytes});
    return tensor;
  }
  Bytes piece(std::min(count, size_t{1} << 16) * type.bytes);
  for (size_t done = 0; done < count;) {
    const size_t now = std::min(count - done, size_t{1} << 16);
    next({piece.data(), now * type.bytes});
    for (size_t i = 0; big_endian && i < now; ++i) std::reverse(&piece[i * type.bytes], &piece[i * type.bytes] + type.bytes);
    uint8_t* to = out + done * size_of(type.dtype);
    size_t good = now;
    if (type.convert)
      good = type.convert(piece.data(), to, now);
    else
      std::memcpy(to, piece.data(), now * type.bytes);
    require(good == now, what, " has an element that ", type.dtype, " can't hold: number ", done + good, " in the file's order");
    done += now;
  }
  return tensor;
}

}  // namespace scry::io
