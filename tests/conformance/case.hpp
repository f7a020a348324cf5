#pragma once

#include "conformance/node.hpp"

namespace scry::conformance {

/// A tensor of a case: its name in the graph, its element type as the case calls it, and its values in the type that scry has for them.
struct Value {
  std::string name, dtype;
  Tensor tensor;
};

struct Case {
  std::vector<Node> nodes;
  std::vector<Value> inputs, outputs;  ///< initializers are among the inputs
};

/// Reads FOLDER/node.json and the arrays that it names. Throws Unsupported for a form or an element type that isn't known here.
Case load_case(const std::string& folder);

/// Runs the nodes one after the other; what differs from the outputs, or an empty text.
std::string run_case(const Case& test);

/// How the values differ from the expected ones of a type, or an empty text.
std::string difference(const Tensor& got, const Value& expected);

}  // namespace scry::conformance
