#include "conformance/case.hpp"

#include <scry/core/io/npy.hpp>
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace scry::conformance {
namespace {

using nlohmann::json;

Attribute attribute_of(const std::string& name, const json& value) {
  if (value.is_boolean()) return int64_t{value.get<bool>()};
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  const auto all = [&](const auto& is) { return value.is_array() && std::all_of(value.begin(), value.end(), is); };
  if (all([](const json& v) { return v.is_number_integer(); })) return value.get<Integers>();
  if (all([](const json& v) { return v.is_number(); })) return value.get<std::vector<double>>();
  if (all([](const json& v) { return v.is_string(); })) return value.get<std::vector<std::string>>();
  throw Unsupported("the attribute " + name + " is neither a number, a string, nor a list of such (a graph or a tensor?)");
}

Value value_of(const std::string& folder, const json& entry) {
  supported(entry.contains("file"), "'", entry.value("name", ""), "' is no tensor (a sequence or an optional?)");
  Value value{entry.at("name"), entry.at("dtype"), {}};
  try {
    value.tensor = io::load_npy(folder + "/" + entry.at("file").get<std::string>());
  } catch (const Error& error) {
    throw Unsupported(error.what());
  }
  return value;
}

Node node_of(const json& entry, const json& opset) {
  Node node;
  node.type = entry.at("op_type");
  node.domain = entry.value("domain", "");
  node.opset = opset.value(node.domain, int64_t{1});
  node.arguments = entry.at("inputs").get<std::vector<std::string>>();
  node.results = entry.at("outputs").get<std::vector<std::string>>();
  for (const auto& [name, value] : entry.at("attributes").items()) node.attributes.emplace(name, attribute_of(name, value));
  return node;
}

}  // namespace

Case load_case(const std::string& folder) {
  std::ifstream file(folder + "/node.json");
  try {
    const json all = json::parse(file);
    Case test;
    for (const json& entry : all.at("nodes")) {
      const std::string type = entry.at("op_type");
      supported(operators().contains(type), "scry has no ", type);
      test.nodes.push_back(node_of(entry, all.at("opset")));
    }
    for (const char* list : {"inputs", "initializers"})
      for (const json& entry : all.at(list)) test.inputs.push_back(value_of(folder, entry));
    for (const json& entry : all.at("outputs")) test.outputs.push_back(value_of(folder, entry));
    return test;
  } catch (const json::exception& error) {
    throw Unsupported(text("node.json has another form than expected: ", error.what()));
  }
}

std::string run_case(const Case& test) {
  std::map<std::string, Tensor> values{{"", {}}};
  const bool differentiates = std::any_of(test.nodes.begin(), test.nodes.end(), [](const Node& node) { return node.type == "Gradient"; });
  for (const Value& input : test.inputs) {
    values[input.name] = input.tensor;
    if (differentiates && is_floating(input.tensor.dtype())) input.tensor.requires_grad_();
  }
  for (Node node : test.nodes) {
    for (const std::string& name : node.arguments) {
      require(values.contains(name), node.type, ": there is no value '", name, "'");
      node.inputs.push_back(values[name]);
    }
    if (node.type == "Gradient") node.inputs.push_back(values[node.word("y", "")]);
    const Outputs outputs = operators().at(node.type)(node);
    for (size_t i = 0; i < node.results.size(); ++i) {
      if (node.results[i].empty()) continue;
      require(i < outputs.size() && outputs[i].defined(), node.type, ": output ", i, " wasn't computed");
      values[node.results[i]] = outputs[i];
    }
  }
  for (const Value& expected : test.outputs) {
    require(values.contains(expected.name), "no node computes '", expected.name, "'");
    if (const std::string what = difference(values[expected.name], expected); !what.empty()) return text("'", expected.name, "': ", what);
  }
  return "";
}

}  // namespace scry::conformance
