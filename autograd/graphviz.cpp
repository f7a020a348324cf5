#include <scry/autograd/graphviz.hpp>
#include <scry/autograd/node.hpp>
#include <unordered_map>

namespace scry {

using autograd::Node;

std::string graphviz(std::span<const Tensor> outputs, std::span<const NamedTensor> names) {
  std::unordered_map<const Node*, std::string> known;
  for (const NamedTensor& named : names)
    if (named.tensor.defined() && named.tensor.requires_grad()) known.emplace(autograd::node_of(named.tensor), named.name);
  std::unordered_map<const Node*, int> numbers;
  std::vector<const Node*> waiting;
  std::string out = "digraph tape {\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
  const auto number_of = [&](const Node* node) {
    const auto [entry, fresh] = numbers.emplace(node, static_cast<int>(numbers.size()));
    if (fresh) waiting.push_back(node);
    return entry->second;
  };
  for (const Tensor& output : outputs) {
    require(output.defined() && output.requires_grad(), "graphviz: a tensor is not on the tape, so there is no graph behind it");
    number_of(autograd::node_of(output));
  }
  while (!waiting.empty()) {
    const Node* node = waiting.back();
    waiting.pop_back();
    std::string label = node->is_leaf ? static_cast<const autograd::Leaf*>(node)->name : node->op;
    if (const auto name = known.find(node); name != known.end()) label = name->second;
    std::string escaped;
    for (const char c : label.empty() ? node->op : label) {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    const int number = number_of(node);
    out += text("  n", number, " [label=\"", escaped, "\\n", node->dtype, " ", node->shape, node->is_leaf ? "\", style=filled];\n" : "\"];\n");
    for (const auto& input : node->inputs())
      if (input) out += text("  n", number_of(input.get()), " -> n", number, ";\n");
  }
  return out + "}\n";
}

}  // namespace scry
