#pragma once

#include <cstdint>
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

/// The pieces side by side; a type takes part by an `append_text(std::string&, T)` of its own.
template <class... Pieces>
std::string text(const Pieces&... pieces) {
  std::string out;
  (append_text(out, pieces), ...);
  return out;
}

template <class... Pieces>
[[noreturn]] void fail(const Pieces&... pieces) {
  throw Error(text(pieces...));
}

/// Throws an Error made of the pieces unless `condition` holds; active in release builds too.
template <class... Pieces>
void require(bool condition, const Pieces&... pieces) {
  if (!condition) [[unlikely]]
    fail(pieces...);
}

}  // namespace scry
