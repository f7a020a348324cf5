#include <scry/core/suggestion.hpp>
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace scry {
namespace {

// The number of letters to insert, drop or replace to turn one word into the other (Levenshtein 1966).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j)
      diagonal = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)}));
  }
  return row.back();
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known) {
  std::string_view nearest;
  size_t best = std::max<size_t>(word.size() / 2, 1) + 1;
  for (const std::string_view name : known) {
    const size_t distance = edit_distance(word.substr(0, 64), name);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace scry
