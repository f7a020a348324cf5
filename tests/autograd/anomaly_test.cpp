// Where the first NaN or infinity appeared.

#include <scry/autograd/anomaly.hpp>
#include <scry/autograd/backward.hpp>
#include <scry/autograd/grad_mode.hpp>
#include <scry/autograd/node.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/core/creation.hpp>
#include <cmath>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

Tensor input_of(std::vector<double> values, const Shape& shape) { return Tensor::of(values, shape).requires_grad_(); }

// As a module does it.
template <class F>
auto inside(const char* module, const F& call) {
  const autograd::Place here(module, [](const void* name) { return std::string(static_cast<const char*>(name)); });
  return call();
}

TEST(AnomalyMode, NamesOpPlaceAndElementInForward) {
  const AnomalyMode on;
  const Tensor x = input_of({1, 2, 0, 4}, {2, 2});
  EXPECT_FAILS(log(x), "anomaly", "log", "-inf at [1, 0] of shape [2, 2]");
  EXPECT_FAILS(inside("features.0", [&] { return log(x); }), "log in features.0 computed");
  EXPECT_FAILS(sqrt(x - 3), "sqrt", "nan at [0, 0]");
  const NoGrad off;
  EXPECT_FAILS(log(x.detach()), "log", "-inf");
}

TEST(AnomalyMode, NamesTheRowsThatTheOpUsed) {
  const AnomalyMode on;
  const Tensor weight = input_of({1, NAN}, {2}), x = input_of({1, 1}, {2});
  autograd::leaf_of(weight)->name = "fc1.weight";
  EXPECT_FAILS(x * weight, "mul", "nan at [1]", "fc1.weight");
}

TEST(AnomalyMode, NamesTheRuleInBackward) {
  const AnomalyMode on;
  const Tensor x = input_of({0, 4}, {2});
  autograd::leaf_of(x)->name = "conv1.weight";
  const Tensor y = inside("block", [&] { return sqrt(x); });
  EXPECT_FAILS(sum(y).backward(), "in backward of sqrt in block", "gradient of conv1.weight", "inf at [0] of shape [2]");
  const Tensor h = x * 1, z = sqrt(h);
  EXPECT_FAILS(sum(z).backward(), "in backward of sqrt:", "gradient of mul", "inf at [0]");
}

TEST(AnomalyMode, LooksIntoSecondDerivatives) {
  const Tensor x = input_of({1e-200}, {1});
  const Tensor g = grad(log(x), x, {.create_graph = true});
  const AnomalyMode on;
  EXPECT_FAILS(grad(g, x), "in backward of", "inf at [0]");
}

TEST(AnomalyMode, EndsWithItsScopeAndMayLetInfinitiesPass) {
  const Tensor x = input_of({0, 1}, {2});
  {
    const AnomalyMode on{{.infinity = false}};
    EXPECT_NO_THROW(log(x));
    EXPECT_FAILS(log(x) * 0, "mul", "nan at [0]");
  }
  EXPECT_NO_THROW(log(x) * 0);
  const AnomalyMode on;
  EXPECT_NO_THROW(sum(x * 2).backward());
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{2, 2}));
}

}  // namespace
}  // namespace scry
