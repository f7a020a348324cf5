#pragma once

#include <scry/autograd/ops/pad.hpp>
#include <scry/autograd/ops/window.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

struct ConstantPadOptions {
  double value = 0;
};

/// More elements around the last axis, or around the last two, see scry::pad: `nn::ReflectionPad2d({{1, 2}, {3, 4}})` adds 1 row above, 2 columns
/// on the left, 3 rows below and 4 columns on the right.
template <PadMode mode, int dimensions>
struct Pad : Module<Pad<mode, dimensions>> {
  explicit Pad(const Padding& given, const ConstantPadOptions& constant = {}) : padding(given), value(constant.value) {}
  Tensor forward(const Tensor& x) const {
    const auto& [before, after, automatic] = padding;
    require(x.defined() && x.rank() > dimensions, "expected at least ", dimensions + 1, " axes, got shape ", x.shape());
    if constexpr (dimensions == 1)
      return pad(x, {before.width, after.width}, {mode, value});
    else
      return pad(x, {before.width, after.width, before.height, after.height}, {mode, value});
  }
  std::string describe() const {
    constexpr std::string_view names[] = {"Constant", "Reflection", "Replication", "Circular"};
    return text("nn.", names[static_cast<int>(mode)], "Pad", dimensions, "d");
  }

  Padding padding;
  double value;
};

using ConstantPad1d = Pad<PadMode::constant, 1>;
using ConstantPad2d = Pad<PadMode::constant, 2>;
using ZeroPad1d = ConstantPad1d;
using ZeroPad2d = ConstantPad2d;
using ReflectionPad1d = Pad<PadMode::reflect, 1>;
using ReflectionPad2d = Pad<PadMode::reflect, 2>;
using ReplicationPad1d = Pad<PadMode::replicate, 1>;
using ReplicationPad2d = Pad<PadMode::replicate, 2>;
using CircularPad1d = Pad<PadMode::circular, 1>;
using CircularPad2d = Pad<PadMode::circular, 2>;

}  // namespace scry::nn
