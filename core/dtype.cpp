#include <scry/core/dtype.hpp>

namespace scry {

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case boolean: return "bool";
    case u8: return "u8";
    case i64: return "i64";
    case f32: return "f32";
    case f64: break;
  }
  return "f64";
}

}  // namespace scry
