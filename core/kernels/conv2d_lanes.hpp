#pragma once

#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace scry::kernels::conv {

/// A register of numbers in the convolution kernels.
using Lanes = xsimd::batch<float>;
inline constexpr auto lanes = static_cast<int64_t>(Lanes::size);
/// Processors with 512-bit registers have 32 of them; others are taken to have 16.
inline constexpr int registers = lanes >= 16 ? 32 : 16;

}  // namespace scry::kernels::conv
