#include "conformance/node.hpp"

// Tensors from attributes, and other element types.
namespace scry::conformance {
namespace {

// ONNX's number of an element type, as the type that has its values here.
DType type_of(int64_t number) {
  switch (number) {
    case 1:               // float
    case 10: return f32;  // float16
    case 2: return u8;
    case 3:               // int8
    case 4:               // uint16
    case 5:               // int16
    case 6:               // int32
    case 7:               // int64
    case 12:              // uint32
    case 13: return i64;  // uint64
    case 9: return boolean;
    case 11: return f64;
    default: throw Unsupported(text("scry has no element type for ONNX's number ", number, " (strings are 8, bfloat16 is 16)"));
  }
}

Outputs cast_to(const Node& node) { return {cast(node.in(0), type_of(node.integer("to", 0)))}; }
Outputs cast_like(const Node& node) { return {cast(node.in(0), node.in(1).dtype())}; }

Outputs constant(const Node& node) {
  if (node.attributes.contains("value_int")) return {tensor(node.integer("value_int", 0))};
  if (node.attributes.contains("value_ints")) return {tensor(*node.integers("value_ints"))};
  if (node.attributes.contains("value_float")) return {scalar(node.number("value_float", 0.0))};
  if (node.attributes.contains("value_floats")) return {cast(tensor(node.numbers("value_floats")), f32)};
  throw Unsupported("the constant is neither a number nor a list of numbers");
}

Outputs range(const Node& node) {
  const Tensor& start = node.in(0);
  if (!is_floating(start.dtype())) return {arange(start.item<int64_t>(), node.in(1).item<int64_t>(), node.in(2).item<int64_t>(), start.dtype())};
  return {arange(start.item(), node.in(1).item(), node.in(2).item(), start.dtype())};
}

Outputs eye_like(const Node& node) {
  const Tensor& x = node.in(0);
  const DType dtype = node.attributes.contains("dtype") ? type_of(node.integer("dtype", 1)) : x.dtype();
  const int64_t k = node.integer("k", 0);
  return {triu(tril(ones(x.shape(), dtype), k), k)};
}

}  // namespace

void add_creation(Table& table) {
  table.insert({
      {"Cast", cast_to},
      {"CastLike", cast_like},
      {"Constant", constant},
      {"ConstantOfShape",
       [](const Node& node) -> Outputs {
         supported(!node.attributes.contains("value"), "the value has another form than expected");
         return {zeros(to_shape(node.in(0).to_vector<int64_t>()))};
       }},
      {"Range", range},
      {"EyeLike", eye_like},
  });
}

}  // namespace scry::conformance
