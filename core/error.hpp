#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace scry {

/// The one exception type of the library. `what()` says where, what, and what would help.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  /// The same with the place in front: "where: message".
  Error(const std::string& where, const Error& error) : std::runtime_error(where + ": " + error.what()), located_(true) {}
  /// Whether a place is in front already.
  bool located() const { return located_; }

 private:
  bool located_ = false;
};

inline void append_text(std::string& out, std::string_view piece) { out += piece; }
void append_text(std::string& out, double value);
void append_integer(std::string& out, int64_t value);

template <class T>
  requires std::is_integral_v<T>
void append_text(std::string& out, T value) { append_integer(out, static_cast<int64_t>(value)); }

/// A piece of a message, by reference; a type takes part by an `append_text(std::string&, T)` of its own.
class Piece {
 public:
  Piece(const char* literal) : value_(literal), append_(append_literal) {}
  template <class T>
  Piece(const T& value) : value_(&value), append_([](std::string& out, const void* piece) { append_text(out, *static_cast<const T*>(piece)); }) {}
  void append_to(std::string& out) const { append_(out, value_); }

 private:
  static void append_literal(std::string& out, const void* literal);

  const void* value_;
  void (*append_)(std::string& out, const void* value);
};

namespace detail {

std::string joined(std::initializer_list<Piece> pieces);
[[noreturn, gnu::cold]] void throw_error(std::initializer_list<Piece> pieces);

}  // namespace detail

// Always inline: there are as many lists of types as there are messages, and a function for each is long to compile.

/// The pieces side by side.
template <class... Pieces>
[[gnu::always_inline]] inline std::string text(const Pieces&... pieces) {
  return detail::joined({Piece(pieces)...});
}

template <class... Pieces>
[[noreturn, gnu::always_inline]] inline void fail(const Pieces&... pieces) {
  detail::throw_error({Piece(pieces)...});
}

/// Throws an Error made of the pieces unless `condition` holds; active in release builds too.
template <class... Pieces>
[[gnu::always_inline]] inline void require(bool condition, const Pieces&... pieces) {
  if (!condition) [[unlikely]]
    detail::throw_error({Piece(pieces)...});
}

}  // namespace scry
