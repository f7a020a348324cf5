// PyTorch as the other side: with the same weights and inputs, layers and models give the same outputs and gradients, and weights move both ways.

#include <scry/core/io/safetensors.hpp>

#include "core/io_support.hpp"
#include "nn/layer_checks.hpp"
#include "nn/pytorch_cases.hpp"
#include "python.hpp"

namespace scry::nn::test {
namespace {

using namespace scry::test;

// What PyTorch did in one case, by kind and name; see pytorch_cases.py.
struct Recorded {
  std::map<std::string, std::map<std::string, Tensor>> tensors;
  const Tensor& at(const std::string& kind, const std::string& name) const {
    const auto of_kind = tensors.find(kind);
    require(of_kind != tensors.end() && of_kind->second.contains(name), "PyTorch has no ", kind, " '", name, "'");
    return of_kind->second.at(name);
  }
  bool has(const std::string& kind) const { return tensors.contains(kind); }
};

std::map<std::string, Recorded> read_cases(const std::string& path) {
  std::map<std::string, Recorded> out;
  for (const NamedTensor& t : io::load_safetensors(path).tensors) {
    const size_t first = t.name.find('|'), second = t.name.find('|', first + 1);
    out[t.name.substr(0, first)].tensors[t.name.substr(first + 1, second - first - 1)][second == t.name.npos ? "" : t.name.substr(second + 1)] =
        t.tensor;
  }
  return out;
}

// Runs forward and backward as PyTorch did, and compares everything that it wrote down.
void compare(const Case& c, const Recorded& theirs, DType dtype, const std::string& saved) {
  const double tolerance = dtype == f32 ? 1e-5 : 1e-10;
  const Subject subject = c.make();
  if (subject.model) {
    subject.model->train(theirs.at("training", "").item<bool>());
    subject.model->to(dtype);
    std::vector<NamedTensor> state;
    if (theirs.has("state"))
      for (const auto& [name, value] : theirs.tensors.at("state")) state.push_back({name, value});
    load(*subject.model, state);
    if (!state.empty()) save(*subject.model, saved);
  }
  Tensors inputs;
  for (const auto& [index, x] : theirs.tensors.at("in")) inputs.push_back(is_floating(x.dtype()) ? x.requires_grad_() : x);
  const Tensors outputs = subject.run(inputs);
  ASSERT_EQ(outputs.size(), theirs.tensors.at("out").size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    SCOPED_TRACE(text("output ", i));
    expect_close(outputs[i], theirs.at("out", text(i)), tolerance);
    if (outputs[i].requires_grad()) outputs[i].backward(theirs.at("dout", text(i)), true);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!theirs.has("din") || !theirs.tensors.at("din").contains(text(i))) continue;
    SCOPED_TRACE(text("gradient of input ", i));
    ASSERT_TRUE(inputs[i].grad().defined());
    expect_close(inputs[i].grad(), theirs.at("din", text(i)), tolerance);
  }
  if (!subject.model) return;
  for (const NamedTensor& p : subject.model->named_parameters()) {
    SCOPED_TRACE("gradient of " + p.name);
    ASSERT_TRUE(p.tensor.grad().defined());
    expect_close(p.tensor.grad(), theirs.at("grad", p.name), tolerance);
  }
  for (const NamedTensor& b : subject.model->named_buffers()) {
    SCOPED_TRACE(b.name);
    expect_close(b.tensor, theirs.at("after", b.name), tolerance);
  }
}

void compare_all(const std::string& group, const std::vector<Case>& cases) {
  if (const std::string why = missing_in_python("torch safetensors"); !why.empty()) GTEST_SKIP() << why;
  const TempFolder folder;
  set_winograd(false);  // which is as exact as single precision allows only in a single layer
  ASSERT_TRUE(run_python({SCRY_SOURCE_DIR "/tests/nn/pytorch_cases.py", "write", folder.path(), group}));
  for (const DType dtype : {f32, f64}) {
    const std::string type(name_of(dtype));
    std::map<std::string, Recorded> theirs = read_cases(folder / (type + ".safetensors"));
    for (const Case& c : cases) {
      SCOPED_TRACE(c.name + " in " + type);
      ASSERT_TRUE(theirs.contains(c.name)) << "pytorch_cases.py has no such case";
      EXPECT_EQ(message_of([&] { compare(c, theirs.at(c.name), dtype, folder / (c.name + "." + type)); }), nothing_thrown);
      theirs.erase(c.name);
    }
    for (const auto& [name, recorded] : theirs) ADD_FAILURE() << "the case '" << name << "' is in pytorch_cases.py only";
  }
  EXPECT_TRUE(run_python({SCRY_SOURCE_DIR "/tests/nn/pytorch_cases.py", "read", folder.path(), group}));
}

TEST(PyTorch, Layers) { compare_all("layers", layer_cases()); }
TEST(PyTorch, Functions) { compare_all("functions", function_cases()); }
TEST(PyTorch, Sequences) { compare_all("sequences", sequence_cases()); }
TEST(PyTorch, Models) { compare_all("models", model_cases()); }

}  // namespace
}  // namespace scry::nn::test
