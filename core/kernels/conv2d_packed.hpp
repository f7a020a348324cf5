#pragma once

#include <scry/core/tensor.hpp>
#include <array>
#include <mutex>

namespace scry::kernels {

/// The forms that convolutions bring a weight into, kept for the next call. For one weight whose values don't change.
class PackedWeights {
 public:
  enum Form { winograd, channels, images, dots, general, depthwise, forms };

  template <class Make>
  Tensor get(Form form, const Make& make) {
    const std::lock_guard lock(mutex_);
    Tensor& packed = packed_[form];
    if (!packed.defined()) packed = make();
    return packed;
  }

 private:
  std::mutex mutex_;
  std::array<Tensor, forms> packed_;
};

}  // namespace scry::kernels
