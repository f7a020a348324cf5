#include "conformance/node.hpp"

namespace scry::conformance {

const Tensor& Node::in(size_t input) const {
  require(has(input), type, ": input ", input, " is missing");
  return inputs[input];
}

template <class T>
std::optional<T> Node::get(const std::string& name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return std::nullopt;
  const T* value = std::get_if<T>(&found->second);
  supported(value, "the attribute ", name, " has another type than expected");
  return *value;
}
template std::optional<int64_t> Node::get(const std::string&) const;
template std::optional<std::string> Node::get(const std::string&) const;
template std::optional<std::vector<std::string>> Node::get(const std::string&) const;
template std::optional<Integers> Node::get(const std::string&) const;

double Node::number(const std::string& name, double otherwise) const {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return otherwise;
  if (const auto* whole = std::get_if<int64_t>(&found->second)) return static_cast<double>(*whole);
  return get<double>(name).value_or(otherwise);
}

std::vector<double> Node::numbers(const std::string& name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return {};
  if (const auto* whole = std::get_if<Integers>(&found->second)) return {whole->begin(), whole->end()};
  return *get<std::vector<double>>(name);
}

std::optional<Integers> Node::integers_or_input(const std::string& name, size_t input) const {
  if (attributes.contains(name)) return get<Integers>(name);
  if (!has(input)) return std::nullopt;
  return inputs[input].to_vector<int64_t>();
}

std::optional<double> Node::number_or_input(const std::string& name, size_t input) const {
  if (attributes.contains(name)) return number(name, 0.0);
  if (!has(input)) return std::nullopt;
  return inputs[input].item();
}

const Table& operators() {
  static const Table table = [] {
    Table all;
    for (const auto add : {add_elementwise, add_reductions, add_shapes, add_creation, add_indexing, add_products, add_images, add_pooling,
                           add_normalization, add_training, add_recurrent, add_optimizers})
      add(all);
    return all;
  }();
  return table;
}

}  // namespace scry::conformance
