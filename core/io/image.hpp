#pragma once

#include <scry/core/io/file.hpp>
#include <scry/core/tensor.hpp>

namespace scry::io {

struct ImageOptions {
  int channels = 0;                       ///< 0: as in the file; 1: grey, by (77 R + 150 G + 29 B) / 256; 2: grey, alpha; 3: RGB; 4: RGBA
  int64_t max_pixels = int64_t{1} << 26;  ///< a file that announces more is refused before it is decoded
};

/// A PNG, JPEG or BMP picture as u8 [C, H, W]; a transparent one without its alpha channel where that isn't asked for. A file that is
/// cut short, damaged, too large or of another format is an Error with its name and the decoder's reason.
Tensor read_image(const std::string& path, const ImageOptions& options = {});
/// As read_image, from memory; `name` stands for the bytes in errors.
Tensor decode_image(ByteSpan bytes, const std::string& name, const ImageOptions& options = {});

/// Writes a u8 image [C, H, W] of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 channels as PNG, atomically (see AtomicFile).
void write_png(const std::string& path, const Tensor& image);

enum class Filter {
  bilinear,  ///< linear between neighbours; where the picture shrinks, as wide as the step, so that nothing is skipped
  area,      ///< the mean over what a pixel covers
};

/// An image [C, H, W], u8 or f32, in another size: [C, height, width], same type. Edges repeat their pixels; channels are independent.
Tensor resize(const Tensor& image, int64_t height, int64_t width, Filter filter = Filter::bilinear);

}  // namespace scry::io
