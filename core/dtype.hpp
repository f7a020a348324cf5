#pragma once

#include <scry/core/error.hpp>
#include <cstddef>
#include <cstdint>

namespace scry {

/// Element types. Promotion between two (see `promote`): the later one in this list wins, as in PyTorch.
enum class DType : uint8_t { boolean, u8, i64, f32, f64 };
using enum DType;

/// Bytes an element.
constexpr size_t size_of(DType dtype) { return dtype == f32 ? 4 : dtype == boolean || dtype == u8 ? 1 : 8; }
std::string_view name_of(DType dtype);
inline void append_text(std::string& out, DType dtype) { out += name_of(dtype); }

inline bool is_floating(DType dtype) { return dtype >= f32; }

/// The type in which values of both types are computed: bool < u8 < i64 < f32 < f64.
inline DType promote(DType a, DType b) { return a > b ? a : b; }

template <class T>
inline constexpr bool is_element = false;
template <>
inline constexpr bool is_element<bool> = true;
template <>
inline constexpr bool is_element<uint8_t> = true;
template <>
inline constexpr bool is_element<int64_t> = true;
template <>
inline constexpr bool is_element<float> = true;
template <>
inline constexpr bool is_element<double> = true;

/// The DType of a C++ element type.
template <class T>
  requires is_element<T>
consteval DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return boolean;
  if constexpr (std::is_same_v<T, uint8_t>) return u8;
  if constexpr (std::is_same_v<T, int64_t>) return i64;
  if constexpr (std::is_same_v<T, float>) return f32;
  return f64;
}

/// Calls `function.operator()<T>()` with the C++ type of `dtype`.
template <class F>
decltype(auto) dispatch(DType dtype, F&& function) {
  switch (dtype) {
    case boolean: return function.template operator()<bool>();
    case u8: return function.template operator()<uint8_t>();
    case i64: return function.template operator()<int64_t>();
    case f32: return function.template operator()<float>();
    case f64: break;
  }
  return function.template operator()<double>();
}

/// As `dispatch`, for f32 and f64 alone; any other type is an error in the name of `op`.
template <class F>
decltype(auto) dispatch_floating(std::string_view op, DType dtype, F&& function) {
  require(is_floating(dtype), op, ": expected f32 or f64, got ", dtype, "; convert with cast(x, f32)");
  return dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

}  // namespace scry
