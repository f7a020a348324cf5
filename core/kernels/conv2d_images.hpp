#pragma once

// What the kernels with registers over images share: blocks of as many images as a register has lanes, lying as [H, W, C, lanes].

#include <scry/core/kernels/conv2d_lanes.hpp>
#include <scry/core/kernels/conv2d_plan.hpp>
#include <scry/core/kernels/interleave.hpp>
#include <algorithm>

namespace scry::kernels::conv {

/// Interleaves `images` images of `rows` rows of `row` numbers; to: [blocks, rows, row, lanes].
inline void interleave_images(const float* from, int64_t images, int64_t rows, int64_t row, float* to) {
  const int64_t blocks = (images + lanes - 1) / lanes;
  parallel_for(blocks * rows, grain_for(row * lanes * static_cast<int64_t>(sizeof(float))), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / rows * lanes;
      interleave(from + (first * rows + i % rows) * row, rows * row, std::min(lanes, images - first), row, to + i * row * lanes, lanes);
    }
  });
}

/// The number of images that are interleaved at a time, given how many numbers each has: some megabytes of them.
inline int64_t images_at_once(int64_t image_size) { return std::max<int64_t>(1, (int64_t{1} << 21) / (image_size * lanes)) * lanes; }

}  // namespace scry::kernels::conv
