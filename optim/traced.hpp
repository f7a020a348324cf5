#pragma once

// The number on which an update equation runs once more when it is traced: it tells what is computed.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace scry::optim {

/// One computation: {"exp_avg", "exp_avg + 0.1 * (g - exp_avg)", 0.03}.
struct TracedTerm {
  std::string name;  ///< what it was assigned to; empty for what is only computed on the way
  std::string text;
  double value;
};

/// The terms of one element's update, in the order in which they were computed.
struct TracedTerms {
  bool single;    ///< whether every result is rounded to f32, as where the weights are
  double weight;  ///< what the update has made of it so far
  std::vector<TracedTerm> terms{};

  double rounded(double x) const { return single ? static_cast<double>(static_cast<float>(x)) : x; }
};

/// A double that notes the operations on it. In f32 its results are those of floats: a sum, product, quotient or root of floats that is rounded to
/// double first is the same after it is rounded again.
class Traced {
 public:
  Traced(double value) : value_(value), text_(number(value)) {}
  Traced(TracedTerms& terms, std::string name, double value) : terms_(&terms), value_(value), text_(std::move(name)), named_(true) {}
  Traced(const Traced&) = default;
  /// A named number keeps its name and takes the other's value, as a line of the equation says.
  Traced& operator=(const Traced& other);
  Traced& operator+=(const Traced& other) { return *this = *this + other; }
  Traced& operator-=(const Traced& other) { return *this = *this - other; }
  Traced& operator*=(const Traced& other) { return *this = *this * other; }

  double value() const { return value_; }

  friend Traced operator+(const Traced& a, const Traced& b) { return infix(a, " + ", b, 1, a.value_ + b.value_); }
  friend Traced operator-(const Traced& a, const Traced& b) { return infix(a, " - ", b, 1, a.value_ - b.value_); }
  friend Traced operator*(const Traced& a, const Traced& b) { return infix(a, " * ", b, 2, a.value_ * b.value_); }
  friend Traced operator/(const Traced& a, const Traced& b) { return infix(a, " / ", b, 2, a.value_ / b.value_); }
  friend Traced operator-(const Traced& a) { return infix(0.0, " - ", a, 1, -a.value_); }
  friend Traced sqrt(const Traced& a) { return call("sqrt", a, std::sqrt(a.value_)); }
  friend Traced abs(const Traced& a) { return call("abs", a, std::fabs(a.value_)); }
  friend bool operator<(const Traced& a, const Traced& b) { return a.value_ < b.value_; }
  friend bool operator>(const Traced& a, const Traced& b) { return a.value_ > b.value_; }
  friend bool operator==(const Traced& a, const Traced& b) { return a.value_ == b.value_; }

 private:
  static std::string number(double value);
  static Traced infix(const Traced& a, const char* sign, const Traced& b, int precedence, double value);
  static Traced call(const char* function, const Traced& a, double value);
  static Traced computed(TracedTerms* terms, std::string text, int precedence, double value);

  TracedTerms* terms_ = nullptr;  // null for constants
  double value_;
  std::string text_;
  int precedence_ = 3;  // of the text's outermost sign: 1 for sums, 2 for products
  bool named_ = false;
};

}  // namespace scry::optim
