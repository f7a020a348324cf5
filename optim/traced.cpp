#include <scry/core/error.hpp>
#include <scry/optim/traced.hpp>

namespace scry::optim {

std::string Traced::number(double value) { return text(value); }

Traced& Traced::operator=(const Traced& other) {
  if (named_) {
    terms_->terms.push_back({text_, other.text_, other.value_});
  } else {
    text_ = other.text_;
    precedence_ = other.precedence_;
    terms_ = other.terms_;
  }
  value_ = other.value_;
  return *this;
}

Traced Traced::computed(TracedTerms* terms, std::string text, int precedence, double value) {
  Traced result(terms ? terms->rounded(value) : value);
  result.terms_ = terms;
  result.text_ = std::move(text);
  result.precedence_ = precedence;
  if (terms) terms->terms.push_back({"", result.text_, result.value_});
  return result;
}

Traced Traced::infix(const Traced& a, const char* sign, const Traced& b, int precedence, double value) {
  const auto within = [](const Traced& x, bool brackets) { return brackets ? "(" + x.text_ + ")" : x.text_; };
  return computed(a.terms_ ? a.terms_ : b.terms_, within(a, a.precedence_ < precedence) + sign + within(b, b.precedence_ <= precedence), precedence,
                  value);
}

Traced Traced::call(const char* function, const Traced& a, double value) { return computed(a.terms_, text(function, "(", a.text_, ")"), 3, value); }

}  // namespace scry::optim
