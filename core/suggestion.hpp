#pragma once

#include <span>
#include <string_view>

namespace scry {

/// The word among `known` that `word` was most likely meant to be, for errors; empty where none is near.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace scry
