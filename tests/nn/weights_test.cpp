#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <scry/core/io/safetensors.hpp>
#include <scry/nn/nn.hpp>
#include <set>

#include "core/io_support.hpp"
#include "support.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

std::vector<NamedTensor> state(const ModuleBase& model) {
  std::vector<NamedTensor> out = model.named_parameters();
  for (const NamedTensor& b : model.named_buffers()) out.push_back(b);
  return out;
}

// Everything in the network, as copies.
std::vector<NamedTensor> snapshot(const ModuleBase& model) {
  std::vector<NamedTensor> out = state(model);
  for (NamedTensor& t : out) t.tensor = clone(t.tensor.detach());
  return out;
}

void expect_same(const ModuleBase& model, const std::vector<NamedTensor>& expected) {
  const std::vector<NamedTensor> own = state(model);
  ASSERT_EQ(own.size(), expected.size());
  for (size_t i = 0; i < own.size(); ++i) EXPECT_TRUE(same_bits(own[i].tensor, expected[i].tensor)) << own[i].name;
}

class Weights : public ::testing::Test {
 protected:
  TempFolder folder_;
  std::string path_ = folder_ / "model.safetensors";
};

TEST_F(Weights, RoundTrip) {
  const SmallCnn model, other;
  model(rand({2, 1, 28, 28}));  // so that the statistics have moved
  const std::vector<NamedTensor> before = snapshot(model);
  save(model, path_, {{"note", "a model"}});
  EXPECT_EQ(load(other, path_).metadata, (std::map<std::string, std::string>{{"note", "a model"}}));
  expect_same(other, before);
  expect_same(model, before);
  model.eval();
  other.eval();
  const Tensor x = rand({2, 1, 28, 28});
  EXPECT_TRUE(same_bits(model(x), other(x)));
  for (const Tensor& p : other.parameters()) EXPECT_TRUE(p.requires_grad());
  EXPECT_EQ(folder_.count(), 1);
}

TEST_F(Weights, FilesHaveTheNamesAndNothingElse) {
  const SmallCnn model;
  save(model, path_);
  std::set<std::string> in_file, in_model;
  for (const NamedTensor& t : io::load_safetensors(path_).tensors) in_file.insert(t.name);
  for (const NamedTensor& t : state(model)) in_model.insert(t.name);
  EXPECT_EQ(in_file, in_model);
  EXPECT_TRUE(in_file.contains("bn1.num_batches_tracked") && in_file.contains("conv1.weight"));
}

TEST_F(Weights, ConvertsTheElementType) {
  const Linear wide(3, 2, {.dtype = f64}), narrow(3, 2);
  save(wide, path_);
  load(narrow, path_);
  EXPECT_EQ(narrow.weight.dtype(), f32);
  EXPECT_TRUE(same_bits(narrow.weight, cast(wide.weight, f32)));
}

TEST_F(Weights, FromAnotherNetwork) {
  const Linear a(3, 2), b(3, 2);
  load(b, a);
  EXPECT_TRUE(same_bits(a.weight, b.weight));
  EXPECT_FALSE(same_node(a.weight, b.weight));
  Tensor changed = a.weight;
  changed.mutable_data<float>()[0] += 1;
  EXPECT_FALSE(same_bits(a.weight, b.weight));
  load(a, a);
  EXPECT_FALSE(same_bits(a.weight, b.weight));
}

TEST_F(Weights, FromTensors) {
  const Linear model(2, 1);
  load(model, {{"bias", full({1}, 3, f64)}, {"weight", Tensor::of(std::vector<float>{1, 2}, {1, 2})}});
  EXPECT_EQ(model(ones({1, 2})).item(), 6);
}

// Names that are missing, left over or of another shape are listed, and nothing changes.
TEST_F(Weights, WhatDoesNotFitIsListed) {
  const LeNet model;
  const std::vector<NamedTensor> before = snapshot(model);
  save(mlp({784, 30, 10}), path_);
  EXPECT_FAILS(load(model, path_), path_, "missing: conv1.weight, conv1.bias", "and 3 more", "not in the model: 0.weight", "2.bias");
  expect_same(model, before);

  save(LeNet(3, 10), path_);
  const std::string message = message_of([&] { load(model, path_); });
  EXPECT_NE(message.find("of another shape: conv1.weight ([20, 3, 5, 5] instead of [20, 1, 5, 5])"), std::string::npos) << message;
  EXPECT_EQ(message.find("missing"), std::string::npos) << message;
  EXPECT_EQ(message.find("not in the model"), std::string::npos) << message;
  expect_same(model, before);

  std::vector<NamedTensor> values = before;
  values.pop_back();
  EXPECT_FAILS(load(model, values), "missing: fc2.bias");
  values.push_back({"fc2.bias", zeros({1, 10})});  // as many elements, but another shape
  EXPECT_FAILS(load(model, values), "fc2.bias ([1, 10] instead of [10])");
  values.back() = before.back();
  values.push_back({"extra", zeros({1})});
  EXPECT_FAILS(load(model, values), "not in the model: extra");
  EXPECT_FAILS(load(model, Linear(2, 2)), "missing", "not in the model: weight, bias");
  expect_same(model, before);
}

TEST_F(Weights, InPartOnlyWhatFitsIsLoaded) {
  const Sequential model = mlp({3, 4, 2}), source = mlp({3, 4, 4, 2});
  const std::vector<NamedTensor> before = snapshot(model);
  std::vector<NamedTensor> values = snapshot(source);
  std::erase_if(values, [](const NamedTensor& t) { return t.name == "2.weight" || t.name == "2.bias"; });
  EXPECT_FAILS(load(model, values), "missing: 2.weight, 2.bias", "not in the model: 4.weight, 4.bias");
  const Loaded loaded = load(model, values, {.strict = false});
  EXPECT_EQ(loaded.missing, (std::vector<std::string>{"2.weight", "2.bias"}));
  EXPECT_EQ(loaded.unexpected, (std::vector<std::string>{"4.weight", "4.bias"}));
  expect_same(model, {values[0], values[1], before[2], before[3]});

  // Other shapes are an error all the same, and so is a name that is given twice.
  EXPECT_FAILS(load(model, source, {.strict = false}), "of another shape: 2.weight ([4, 4] instead of [2, 4])", "2.bias");
  values.push_back(values[0]);
  EXPECT_FAILS(load(model, values, {.strict = false}), "'0.weight' twice");
  expect_same(model, {values[0], values[1], before[2], before[3]});
}

struct Tied : Module<Tied> {
  Tensor forward(const Tensor& x) const { return matmul(x, head); }
  Tensor embedding = parameter("embedding", rand({2, 2})), head = parameter("head", embedding);
};

TEST_F(Weights, OneNameOfASharedTensorIsEnough) {
  const Tied model;
  const Tensor value = rand({2, 2});
  EXPECT_TRUE(load(model, {{"embedding", value}}).missing.empty());
  EXPECT_TRUE(same_bits(model.head, value));
  EXPECT_FAILS(load(model, std::vector<NamedTensor>{}), "missing: embedding, head");
}

TEST_F(Weights, AsNumPyArchive) {
  const std::string path = folder_ / "model.npz";
  const SmallCnn model, other;
  const std::vector<NamedTensor> before = snapshot(model);
  save(model, path);
  load(other, path);
  expect_same(other, before);
  // Files are told apart by what they hold.
  std::filesystem::rename(path, path_);
  load(other, path_);
  EXPECT_FAILS(save(model, path, {{"note", "x"}}), path, "metadata");
  EXPECT_FAILS(load(LeNet(), path_), path_, "missing: conv1.bias", "not in the model");
  put(path_, "PK");
  EXPECT_FAILS(load(model, path_), path_);
}

// Halves of floats become floats, exactly.
TEST_F(Weights, FromHalfPrecision) {
  const Linear model(2, 1);
  for (const char* type : {"BF16", "F16"}) {
    const std::string header = text(R"({"bias":{"dtype":")", type, R"(","shape":[1],"data_offsets":[0,2]},"weight":{"dtype":")", type,
                                    R"(","shape":[1,2],"data_offsets":[2,6]}})");
    const uint8_t one = type[0] == 'B' ? 0x3f : 0x3c, fraction = type[0] == 'B' ? 0x80 : 0;
    io::Bytes file{static_cast<uint8_t>(header.size()), 0, 0, 0, 0, 0, 0, 0};
    put(path_, file + bytes_of(header) + io::Bytes{fraction, one, fraction, static_cast<uint8_t>(one | 0x80), 0, 0});
    load(model, path_);
    EXPECT_EQ(model.weight.dtype(), f32);
    EXPECT_EQ(model.weight.to_vector<float>(), (std::vector<float>{-1, 0})) << type;
    EXPECT_EQ(model.bias.item(), 1) << type;
  }
}

TEST_F(Weights, ABrokenFileChangesNothing) {
  const Linear model(30, 20);
  save(Linear(30, 20), path_);
  const std::vector<NamedTensor> before = snapshot(model);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_FAILS(load(model, path_), path_);
  EXPECT_FAILS(load(model, folder_ / "none.safetensors"), "none.safetensors");
  EXPECT_FAILS(save(model, folder_ / "no/such/folder.safetensors"), "no/such/folder.safetensors");
  expect_same(model, before);
}

TEST_F(Weights, LoadingIsAChangeInPlace) {
  const Linear model(2, 2);
  const Tensor x = ones({1, 2}).requires_grad_();
  const Tensor y = sum(model(x));
  load(model, Linear(2, 2));
  EXPECT_FAILS(y.backward(), "linear", "in place");
}

}  // namespace
}  // namespace scry::nn
