#include <gmock/gmock.h>

#include <scry/core/core.hpp>
#include <scry/core/xtensor.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include "support.hpp"

namespace scry {
namespace {

using ::testing::ElementsAre;

TEST(Xtensor, ExpressionsBecomeTensors) {
  const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(from_xtensor(a).dtype(), f64);
  EXPECT_EQ(from_xtensor(a).shape(), (Shape{2, 3}));
  EXPECT_THAT(from_xtensor(xt::transpose(a) * 2).to_vector<double>(), ElementsAre(2, 8, 4, 10, 6, 12));
  EXPECT_EQ(from_xtensor(a > 2).dtype(), boolean);
  EXPECT_THAT(from_xtensor(xt::arange<int>(3)).to_vector<int64_t>(), ElementsAre(0, 1, 2));
  EXPECT_EQ(from_xtensor(xt::arange<int>(3)).dtype(), i64);
  EXPECT_THAT(from_xtensor(xt::view(a, xt::all(), xt::range(2, 0, -1))).to_vector<double>(), ElementsAre(3, 2, 6, 5));
  EXPECT_EQ(from_xtensor(xt::xarray<float>(3.5f)).shape(), Shape{});
  EXPECT_EQ(from_xtensor(xt::xarray<float>::from_shape({0, 2})).shape(), (Shape{0, 2}));
  EXPECT_EQ(from_xtensor(xt::xarray<uint8_t>{7}).dtype(), u8);
  EXPECT_FAILS(from_xtensor(xt::xarray<float>::from_shape(std::vector<size_t>(9, 1))), "at most 8 axes");
}

TEST(Xtensor, TensorsAreExpressionsWithoutACopy) {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, f32);
  EXPECT_EQ(&as_xtensor<float>(x)(1, 2), x.data<float>() + 5);
  EXPECT_EQ(xt::sum(as_xtensor<float>(x))(), 21);
  const Tensor turned = Tensor::view(x.node().storage, 5, {3, 1, 2}, {-1, 7, -3}, f32);
  EXPECT_THAT(from_xtensor(as_xtensor<float>(turned)).to_vector<float>(), ElementsAre(6, 3, 5, 2, 4, 1));
  const Tensor repeated = Tensor::view(x.node().storage, 1, {2, 2}, {0, 3}, f32);
  EXPECT_THAT(from_xtensor(as_xtensor<float>(repeated) + as_xtensor<float>(repeated)).to_vector<float>(), ElementsAre(4, 10, 4, 10));
  EXPECT_THAT(from_xtensor(as_xtensor<float>(turned) + xt::xarray<float>{{10, 20}, {30, 40}}).shape(), (Shape{3, 2, 2})) << "broadcast";
  EXPECT_EQ(as_xtensor<float>(scalar(3))(), 3);
  EXPECT_EQ(as_xtensor<double>(zeros({2, 0}, f64)).size(), 0u);
  EXPECT_FAILS(as_xtensor<double>(x), "f32", "f64", "cast");
}

TEST(Xtensor, WritesGoToTheTensor) {
  Tensor x = zeros({2, 3});
  Tensor columns = Tensor::view(x.node().storage, 2, {2, 2}, {3, -2}, f32);
  const uint32_t before = x.node().storage->version();
  as_mutable_xtensor<float>(columns) = xt::xarray<float>{{1, 2}, {3, 4}};
  EXPECT_THAT(x.to_vector<float>(), ElementsAre(2, 0, 1, 4, 0, 3));
  EXPECT_GT(x.node().storage->version(), before);
  EXPECT_FAILS(as_mutable_xtensor<int64_t>(x), "f32", "i64");
}

}  // namespace
}  // namespace scry
