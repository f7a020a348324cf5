// Every row of the op table is checked here, in every way that applies to all ops.

#include "autograd/op_table.hpp"

#include <gtest/gtest.h>

#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace scry::test {
namespace {

class OpTable : public ::testing::TestWithParam<Row> {};

std::vector<Tensor> make(const std::vector<Input>& inputs, DType dtype, uint64_t seed = 1) {
  Generator generator(seed);
  std::vector<Tensor> out;
  for (const Input& input : inputs) out.push_back(cast(uniform(input.shape, input.low, input.high, f64, generator), dtype));
  return out;
}

int64_t total(const std::vector<Input>& inputs) {
  int64_t count = 0;
  for (const Input& input : inputs) count += element_count(input.shape);
  return count;
}

// The same values in another layout: every axis padded by a step of two, and the first and last exchanged in memory.
Tensor scattered(const Tensor& x) {
  if (x.rank() == 0) return x;
  Shape wide = x.shape();
  std::swap(wide[0], wide[wide.rank() - 1]);
  for (int i = 0; i < wide.rank(); ++i) wide[i] *= 2;
  Tensor out = transpose(full(wide, NAN, x.dtype()), 0, -1);
  for (int axis = 0; axis < x.rank(); ++axis) out = slice(out, axis, 0, to_end, 2);
  for_each_index(x.shape(), [&](std::span<const int64_t> index) {
    int64_t to = 0, from = 0;
    for (int axis = 0; axis < x.rank(); ++axis) {
      to += index[static_cast<size_t>(axis)] * out.strides()[axis];
      from += index[static_cast<size_t>(axis)] * x.strides()[axis];
    }
    dispatch(x.dtype(), [&]<class T>() { static_cast<T*>(out.raw())[to] = static_cast<const T*>(x.raw())[from]; });
  });
  return out;
}

// The layouts that inputs come in beside the usual one: scattered, and channels-last where there are channels.
std::vector<Tensor (*)(const Tensor&)> layouts() {
  return {scattered, [](const Tensor& x) { return x.rank() > 2 ? kernels::channels_last(x) : kernels::clone(x); }};
}

double largest(const std::vector<double>& values) {
  double out = 0;
  for (double value : values) out = std::max(out, std::abs(value));
  return out;
}

void expect_close(const Tensor& y, const std::vector<double>& expected, double tolerance) {
  const std::vector<double> got = y.to_vector<double>();
  ASSERT_EQ(got.size(), expected.size());
  const double allowed = tolerance * std::max(1.0, largest(expected));
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(std::abs(got[i] - expected[i]) <= allowed || (std::isnan(got[i]) && std::isnan(expected[i])))
        << "element " << i << ": " << got[i] << " instead of " << expected[i];
}

std::string shapes(const std::vector<Input>& inputs) {
  std::string out = "inputs";
  for (const Input& input : inputs) out += " " + text(input.shape);
  return out;
}

TEST_P(OpTable, ValuesMatchTheReference) {
  for (const auto& inputs : GetParam().cases) {
    SCOPED_TRACE(shapes(inputs));
    const std::vector<Tensor> x = make(inputs, f64), x32 = make(inputs, f32);
    const std::vector<double> expected = GetParam().reference(x);
    expect_close(GetParam().run(x), expected, 1e-13);
    const Tensor y32 = GetParam().run(x32);
    if (is_floating(y32.dtype())) {
      EXPECT_EQ(y32.dtype(), f32);
    }
    std::vector<Tensor> rounded;
    for (const Tensor& t : x32) rounded.push_back(cast(t, f64));
    expect_close(y32, GetParam().reference(rounded), GetParam().f32_tolerance);
  }
}

TEST_P(OpTable, LayoutDoesNotMatter) {
  for (const auto& inputs : GetParam().cases) {
    SCOPED_TRACE(shapes(inputs));
    const std::vector<Tensor> x = make(inputs, f32);
    const std::vector<float> y = GetParam().run(x).to_vector<float>();
    const double allowed = GetParam().f32_tolerance * std::max(1.0, largest({y.begin(), y.end()}));
    for (const auto layout : layouts()) {
      std::vector<Tensor> laid_out;
      for (const Tensor& t : x) laid_out.push_back(layout(t));
      const std::vector<float> z = GetParam().run(laid_out).to_vector<float>();
      ASSERT_EQ(y.size(), z.size());
      for (size_t i = 0; i < y.size(); ++i)
        ASSERT_TRUE(std::abs(y[i] - z[i]) <= allowed || (std::isnan(y[i]) && std::isnan(z[i]))) << "element " << i;
    }
  }
}

std::vector<Tensor> differentiable(const std::vector<Input>& inputs, uint64_t seed) {
  std::vector<Tensor> x = make(inputs, f64, seed);
  for (size_t i = 0; i < x.size(); ++i)
    if (inputs[i].differentiable) x[i].requires_grad_();
  return x;
}

TEST_P(OpTable, DerivativesMatchCentralDifferences) {
  for (const auto& inputs : GetParam().cases) {
    if (total(inputs) > 120) continue;
    SCOPED_TRACE(shapes(inputs));
    const std::vector<Tensor> x = differentiable(inputs, 2);
    const Tensor y = GetParam().run(x);
    if (!y.requires_grad()) continue;
    EXPECT_NO_THROW(gradcheck(GetParam().run, x, {.step = GetParam().step}));
    EXPECT_NO_THROW(gradgradcheck(GetParam().run, x, {.step = GetParam().step, .relative = 1e-5, .absolute = 1e-6}));
  }
}

TEST_P(OpTable, GradientsOfViewsMatchThoseOfCopies) {
  for (const auto& inputs : GetParam().cases) {
    SCOPED_TRACE(shapes(inputs));
    const std::vector<Tensor> x = differentiable(inputs, 3);
    const Tensor y = GetParam().run(x);
    if (!y.requires_grad()) continue;
    const Tensor seed = uniform(y.shape(), -1, 1, y.dtype());
    y.backward(seed);
    for (const auto layout : layouts()) {
      std::vector<Tensor> laid_out;
      for (size_t i = 0; i < x.size(); ++i) {
        laid_out.push_back(layout(x[i].detach()));
        if (inputs[i].differentiable) laid_out.back().requires_grad_();
      }
      GetParam().run(laid_out).backward(seed);
      for (size_t i = 0; i < x.size(); ++i) {
        if (!inputs[i].differentiable || !x[i].grad().defined()) continue;
        EXPECT_EQ(x[i].grad().shape(), x[i].shape());
        expect_close(laid_out[i].grad(), x[i].grad().to_vector<double>(), 1e-12);
      }
    }
  }
}

TEST_P(OpTable, ErrorNamesTheOp) {
  ASSERT_TRUE(GetParam().error) << "the row has no error case";
  try {
    GetParam().error();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(GetParam().op), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, OpTable, ::testing::ValuesIn(all_rows()),
                         [](const auto& row) { return std::to_string(row.index) + "_" + row.param.op; });

// Collects the names of the nodes behind a tensor.
void names_behind(const autograd::Node* root, std::set<std::string>& names) {
  std::set<const autograd::Node*> seen{root};
  for (std::vector<const autograd::Node*> left{root}; !left.empty();) {
    const autograd::Node* node = left.back();
    left.pop_back();
    names.insert(node->op);
    for (const auto& input : node->inputs())
      if (input && seen.insert(input.get()).second) left.push_back(input.get());
  }
}

TEST(OpTableCoverage, EveryRecordedOpHasARow) {
  std::set<std::string> covered;
  for (const Row& row : all_rows()) {
    for (const auto& inputs : row.cases) {
      const std::vector<Tensor> x = differentiable(inputs, 4);
      const Tensor y = row.run(x);
      if (!y.requires_grad()) continue;
      names_behind(autograd::node_of(y), covered);
      // Ops that only gradients are made of are reached through second derivatives.
      std::vector<Tensor> wanted;
      for (const Tensor& t : x)
        if (t.requires_grad()) wanted.push_back(t);
      const Tensor seed = ones(y.shape(), y.dtype()).requires_grad_();
      for (const Tensor& g : grad(std::span(&y, 1), wanted, {.create_graph = true, .allow_unused = true}, std::span(&seed, 1)))
        if (g.defined() && g.requires_grad()) {
          names_behind(autograd::node_of(g), covered);
          const Tensor gseed = ones(g.shape(), g.dtype()).requires_grad_();
          for (const Tensor& gg :
               grad(std::span(&g, 1), std::vector<Tensor>{seed}, {.create_graph = true, .allow_unused = true}, std::span(&gseed, 1)))
            if (gg.defined() && gg.requires_grad()) names_behind(autograd::node_of(gg), covered);
        }
    }
  }
  const std::regex call("record(_[a-z]+)*\\(\\s*\"([a-z0-9_]+)\"");
  int found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SCRY_SOURCE_DIR "/autograd")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path());
    const std::string source((std::istreambuf_iterator<char>(file)), {});
    for (std::sregex_iterator match(source.begin(), source.end(), call), end; match != end; ++match, ++found)
      EXPECT_TRUE(covered.contains((*match)[2])) << "op '" << (*match)[2] << "' in " << entry.path().filename() << " has no row in the op table";
  }
  EXPECT_GT(found, 20);
}

}  // namespace
}  // namespace scry::test
