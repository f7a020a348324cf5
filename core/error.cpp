#include <scry/core/error.hpp>

#include <cstdio>

namespace scry {

void append_text(std::string& out, double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  out += buffer;
}

void append_integer(std::string& out, int64_t value) { out += std::to_string(value); }

void Piece::append_literal(std::string& out, const void* literal) { out += static_cast<const char*>(literal); }

std::string detail::joined(std::initializer_list<Piece> pieces) {
  std::string out;
  for (const Piece& piece : pieces) piece.append_to(out);
  return out;
}

void detail::throw_error(std::initializer_list<Piece> pieces) { throw Error(joined(pieces)); }

}  // namespace scry
