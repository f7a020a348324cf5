#include <scry/core/print.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>

namespace scry {
namespace {

/// A number's text, cut at its point and at its "e".
struct Digits {
  std::string whole, fraction, exponent;  // the exponent with its sign
};

Digits cut(std::string_view number) {
  Digits digits;
  if (const size_t e = number.find('e'); e != number.npos) {
    digits.exponent = number.substr(e + 1);
    number = number.substr(0, e);
  }
  const size_t point = std::min(number.find('.'), number.size());
  digits.whole = number.substr(0, point);
  digits.fraction = number.substr(std::min(point + 1, number.size()));
  return digits;
}

// As many digits as tell a finite value from its neighbours in its type, but at most `precision` after the point.
template <class T>
Digits digits_of(T value, bool scientific, int precision) {
  char buffer[512];
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  Digits digits = cut({buffer, std::to_chars(buffer, std::end(buffer), value, format).ptr});
  if (static_cast<int>(digits.fraction.size()) <= precision) return digits;
  digits = cut({buffer, std::to_chars(buffer, std::end(buffer), value, format, precision).ptr});
  digits.fraction.resize(digits.fraction.find_last_not_of('0') + 1);
  return digits;
}

void pad_left(std::string& word, size_t width, char with = ' ') { word.insert(0, width - std::min(width, word.size()), with); }

/// Whether powers of ten are shown: for large and small values, and where the largest is more than a thousand times the smallest.
template <class T>
bool spreads_wide(const std::vector<T>& values) {
  double largest = 0, smallest = INFINITY;
  for (const T value : values) {
    const double size = std::abs(static_cast<double>(value));
    if (size == 0 || !std::isfinite(size)) continue;
    largest = std::max(largest, size);
    smallest = std::min(smallest, size);
  }
  return largest > 0 && (largest >= (sizeof(T) == 4 ? 1e6 : 1e8) || smallest < 1e-4 || largest / smallest > 1000);
}

template <class T>
std::vector<std::string> words_of_floats(const std::vector<T>& values, int precision) {
  const bool scientific = spreads_wide(values);
  std::vector<Digits> all;
  size_t whole = 0, fraction = 0, exponent = 0;
  bool negative_infinity = false, others = false;
  for (const T value : values) {
    const bool finite = std::isfinite(value);
    all.push_back(finite ? digits_of(value, scientific, precision) : Digits{std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf", "", ""});
    others |= !finite;
    negative_infinity |= !finite && all.back().whole[0] == '-';
    if (!finite) continue;
    whole = std::max(whole, all.back().whole.size());
    fraction = std::max(fraction, all.back().fraction.size());
    exponent = std::max(exponent, all.back().exponent.size());
  }
  const size_t after = fraction + (exponent ? 1 + exponent : 0);
  size_t width = whole + 1 + after;
  if (others) width = std::max<size_t>(width, negative_infinity ? 4 : 3);
  std::vector<std::string> words;
  for (size_t i = 0; i < all.size(); ++i) {
    Digits& digits = all[i];
    if (std::isfinite(values[i])) {
      if (scientific) {  // with so many digits all of a value's are shown, not only those that tell it apart
        char buffer[64];
        digits = cut({buffer, std::to_chars(buffer, std::end(buffer), values[i], std::chars_format::scientific, static_cast<int>(fraction)).ptr});
      }
      digits.fraction.resize(fraction, ' ');
      std::string power = digits.exponent.substr(std::min<size_t>(1, digits.exponent.size()));
      pad_left(power, exponent ? exponent - 1 : 0, '0');
      digits.whole += "." + digits.fraction;
      if (scientific) digits.whole += "e" + digits.exponent.substr(0, 1) + power;
    }
    pad_left(digits.whole, width);
    words.push_back(std::move(digits.whole));
  }
  return words;
}

std::string single_word(bool value) { return value ? "True" : "False"; }
std::string single_word(int64_t value) { return text(value); }
std::string single_word(uint8_t value) { return text(value); }

template <class T>
std::string single_word(T value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const double size = std::abs(static_cast<double>(value));
  const bool scientific = size != 0 && (size < 1e-4 || size >= (sizeof(T) == 4 ? 1e6 : 1e16));
  const Digits digits = digits_of(value, scientific, 400);
  if (!scientific) return digits.whole + "." + (digits.fraction.empty() ? "0" : digits.fraction);
  return digits.whole + (digits.fraction.empty() ? "" : ".") + digits.fraction + "e" + digits.exponent;
}

template <class T>
std::vector<std::string> words_of(const std::vector<T>& values, int precision) {
  if constexpr (std::is_floating_point_v<T>) {
    return words_of_floats(values, precision);
  } else {
    std::vector<std::string> words;
    size_t width = std::is_same_v<T, bool> ? 5 : 0;
    for (const T value : values) {
      words.push_back(single_word(value));
      width = std::max(width, words.back().size());
    }
    for (std::string& word : words) pad_left(word, width);
    return words;
  }
}

/// Goes through what is shown of a tensor, in order.
class Printer {
 public:
  Printer(const Tensor& x, const PrintOptions& options)
      : x_(x), options_(options), edges_(x.numel() > options.threshold ? std::max<int64_t>(options.edge_items, 1) : 0) {}

  std::string print() {
    if (x_.numel() == 0) return "[]";
    return dispatch(x_.dtype(), [&]<class T>() {
      const T* data = static_cast<const T*>(x_.raw());
      if (x_.rank() == 0) return single_word(*data);
      std::vector<T> values;
      collect(0, 0, [&](int64_t offset) { values.push_back(data[offset]); });
      words_ = words_of(values, options_.precision);
      return brackets(0, options_.line_width);
    });
  }

 private:
  bool cuts(int axis) const { return edges_ > 0 && x_.shape()[axis] > 2 * edges_; }
  /// Calls visit(i), or between the edges gap(), along an axis.
  template <class F, class G>
  void along(int axis, const F& visit, const G& gap) const {
    const int64_t size = x_.shape()[axis], first = cuts(axis) ? edges_ : size;
    for (int64_t i = 0; i < first; ++i) visit(i);
    if (!cuts(axis)) return;
    gap();
    for (int64_t i = size - edges_; i < size; ++i) visit(i);
  }
  template <class F>
  void collect(int axis, int64_t offset, const F& visit) const {
    if (axis == x_.rank()) return visit(offset);
    along(
        axis, [&](int64_t i) { collect(axis + 1, offset + i * x_.strides()[axis], visit); }, [] {});
  }

  std::string brackets(int axis, int64_t width) {
    const std::string indent(static_cast<size_t>(axis) + 1, ' ');
    std::string out = "[";
    if (axis + 1 < x_.rank()) {
      const std::string separator(static_cast<size_t>(x_.rank() - 1 - axis), '\n');
      const auto add = [&](const std::string& part) { out += (out.size() > 1 ? separator + indent : "") + part; };
      along(
          axis, [&](int64_t) { add(brackets(axis + 1, width - 1)); }, [&] { add("..."); });
      return out + "]";
    }
    // A row: words that would reach past the line go to the next one.
    int64_t at = axis + 1;
    const auto add = [&](const std::string& word) {
      const auto size = static_cast<int64_t>(word.size());
      if (at > axis + 1) {
        if (at + 1 + size > width - 1) {
          out.resize(out.find_last_not_of(' ') + 1);
          out += "\n" + indent;
          at = axis + 1;
        } else {
          out += ' ';
          ++at;
        }
      }
      out += word;
      at += size;
    };
    along(
        axis, [&](int64_t) { add(words_[next_++]); }, [&] { add("..."); });
    return out + "]";
  }

  const Tensor& x_;
  const PrintOptions& options_;
  int64_t edges_;
  std::vector<std::string> words_;
  size_t next_ = 0;
};

}  // namespace

std::string to_text(const Tensor& x, const PrintOptions& options) {
  if (!x.defined()) return "undefined";
  return text(Printer(x, options).print(), x.rank() > 1 && x.numel() > 0 ? "\n" : " ", x.dtype(), " ", x.shape());
}

std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_text(x); }

}  // namespace scry
