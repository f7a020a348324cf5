#pragma once

#include <scry/autograd/autograd.hpp>
#include <scry/core/creation.hpp>
#include <map>
#include <optional>
#include <variant>

// A node of a case, as the operators' functions see it.
namespace scry::conformance {

/// Thrown by a function for a form of its operator that scry has nothing for.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... Pieces>
void supported(bool condition, const Pieces&... pieces) {
  if (!condition) throw Unsupported(text(pieces...));
}

using Integers = std::vector<int64_t>;
using Attribute = std::variant<int64_t, double, std::string, Integers, std::vector<double>, std::vector<std::string>>;

struct Node {
  std::string type, domain;
  int64_t opset = 0;                            ///< of its domain
  std::vector<std::string> arguments, results;  ///< names; empty for optional ones that are left out
  std::map<std::string, Attribute> attributes;
  std::vector<Tensor> inputs;  ///< undefined where left out

  bool has(size_t input) const { return input < inputs.size() && inputs[input].defined(); }
  /// An input that must be there.
  const Tensor& in(size_t input) const;
  /// An optional input; undefined where it is left out.
  Tensor maybe(size_t input) const { return has(input) ? inputs[input] : Tensor(); }
  bool wants(size_t result) const { return result < results.size() && !results[result].empty(); }

  int64_t integer(const std::string& name, int64_t otherwise) const { return get<int64_t>(name).value_or(otherwise); }
  bool flag(const std::string& name, bool otherwise = false) const { return integer(name, otherwise) != 0; }
  double number(const std::string& name, double otherwise) const;
  std::string word(const std::string& name, const std::string& otherwise) const { return get<std::string>(name).value_or(otherwise); }
  std::vector<std::string> words(const std::string& name) const { return get<std::vector<std::string>>(name).value_or(std::vector<std::string>{}); }
  std::vector<double> numbers(const std::string& name) const;
  std::optional<Integers> integers(const std::string& name) const { return get<Integers>(name); }
  /// A list, or a number, that older opsets give as an attribute and newer ones as an input.
  std::optional<Integers> integers_or_input(const std::string& name, size_t input) const;
  std::optional<double> number_or_input(const std::string& name, size_t input) const;

 private:
  template <class T>
  std::optional<T> get(const std::string& name) const;
};

using Outputs = std::vector<Tensor>;
using Function = Outputs (*)(const Node&);
using Table = std::map<std::string, Function>;

/// All operators by name; each family below adds its own.
const Table& operators();
void add_elementwise(Table& table);
void add_reductions(Table& table);
void add_shapes(Table& table);
void add_creation(Table& table);
void add_indexing(Table& table);
void add_products(Table& table);
void add_images(Table& table);
void add_pooling(Table& table);
void add_normalization(Table& table);
void add_training(Table& table);
void add_recurrent(Table& table);
void add_optimizers(Table& table);

/// The axis that an attribute tells, counted from the front.
inline int axis_of(const Node& node, int64_t otherwise, int rank) {
  return wrap_axis(node.type, static_cast<int>(node.integer("axis", otherwise)), rank);
}
inline std::vector<int> to_axes(const Integers& list) { return {list.begin(), list.end()}; }
inline Shape to_shape(const Integers& sizes) { return Shape(std::span(sizes)); }

}  // namespace scry::conformance
