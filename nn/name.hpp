#pragma once

#include <algorithm>
#include <string_view>

namespace scry::nn {

/// A literal as a template's argument: what a layer calls itself.
template <size_t size>
struct Name {
  constexpr Name(const char (&literal)[size]) { std::copy_n(literal, size, letters); }
  constexpr std::string_view view() const { return {letters, size - 1}; }

  char letters[size]{};
};

}  // namespace scry::nn
