#include <scry/core/error.hpp>

#include <cstdio>

namespace scry {

void append_text(std::string& out, double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  out += buffer;
}

void append_integer(std::string& out, int64_t value) { out += std::to_string(value); }

}  // namespace scry
