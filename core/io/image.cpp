#include <scry/core/io/image.hpp>
#include <scry/core/kernels/copy.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

// stb's buffers grow with what the compressed data claim to be; a bound for each makes its own out-of-memory path refuse the rest.
namespace {

thread_local size_t largest_block = 0;

void* bounded_malloc(size_t bytes) { return bytes <= largest_block ? std::malloc(bytes) : nullptr; }
void* bounded_realloc(void* block, size_t bytes) { return bytes <= largest_block ? std::realloc(block, bytes) : nullptr; }

}  // namespace

// Not GIF, PSD, PIC, TGA and HDR: nobody trains on them, and hostile ones have broken this version's decoders.
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_FAILURE_USERMSG
#define STBI_ASSERT(condition) ((void)0)
#define STBI_MALLOC(bytes) bounded_malloc(bytes)
#define STBI_REALLOC(block, bytes) bounded_realloc(block, bytes)
#define STBI_FREE(block) std::free(block)
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

#define STBIR_ASSERT(condition) ((void)0)
#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb/stb_image_resize.h>

namespace scry::io {
namespace {

using Pixels = std::unique_ptr<uint8_t, void (*)(void*)>;

constexpr int64_t largest_side = 1 << 16;

// Bytes for stb to read. It takes zeros for what is missing at the end, so we note that it asked.
struct Source {
  ByteSpan bytes;
  size_t position = 0;
  bool ran_out = false;

  static int read(void* user, char* out, int count) {
    auto& self = *static_cast<Source*>(user);
    const size_t got = std::min(static_cast<size_t>(count), self.bytes.size() - self.position);
    if (got) std::memcpy(out, self.bytes.data() + self.position, got);
    self.ran_out |= got == 0 && count > 0;
    self.position += got;
    return static_cast<int>(got);
  }
  static void skip(void* user, int count) {
    auto& self = *static_cast<Source*>(user);
    const int64_t to = static_cast<int64_t>(self.position) + count;
    self.ran_out |= to > static_cast<int64_t>(self.bytes.size());
    self.position = static_cast<size_t>(std::clamp<int64_t>(to, 0, static_cast<int64_t>(self.bytes.size())));
  }
  static int eof(void* user) {
    const auto& self = *static_cast<Source*>(user);
    return self.position >= self.bytes.size();
  }
};

// [H, W, C] to [C, H, W].
Tensor planes_of(const uint8_t* pixels, int channels, int height, int width) {
  const Shape shape{channels, height, width};
  Tensor image = Tensor::empty(shape, u8);
  auto* out = image.mutable_data<uint8_t>();
  const int64_t count = int64_t{height} * width;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < count; ++i) out[c * count + i] = pixels[i * channels + c];
  return image;
}

// A Huffman table of more than 256 codes makes this version of stb write past its own (2.28 doesn't), so no such JPEG may get to it.
// Up to the first scan the segments follow each other; after it, whatever could be the marker of a table counts as one, because
// damaged data can make stb look for markers anywhere.
void check_huffman_tables(ByteSpan bytes, const std::string& name) {
  const auto at = [&](size_t i) -> size_t { return i < bytes.size() ? bytes[i] : 0; };
  bool scanning = false;
  for (size_t i = 0; i + 1 < bytes.size();) {
    const size_t marker = bytes[i] == 0xff ? bytes[i + 1] : 0xff;
    i += marker == 0xff ? 1 : 2;
    if (marker == 0xff) continue;
    const size_t length = std::max<size_t>(at(i) << 8 | at(i + 1), 2);
    for (size_t table = i + 2; marker == 0xc4 && table < i + length;) {
      size_t codes = 0;
      for (size_t k = 1; k <= 16; ++k) codes += at(table + k);
      require(codes <= 256, name, ": can't be decoded: Corrupt JPEG, a Huffman table at byte ", table, " has ", codes, " codes");
      table += 17 + codes;
    }
    scanning |= marker == 0xda;
    if (!scanning && marker != 0xd8) i += length;
  }
}

void check_image(const char* op, const Tensor& image) {
  require(image.rank() == 3 && image.size(0) >= 1 && image.size(1) >= 1 && image.size(2) >= 1 && image.size(1) <= largest_side &&
              image.size(2) <= largest_side,
          op, ": expected an image [C, H, W] with sides from 1 to ", largest_side, ", got shape ", image.shape());
}

}  // namespace

Tensor decode_image(ByteSpan bytes, const std::string& name, const ImageOptions& options) {
  require(options.channels >= 0 && options.channels <= 4, "read_image: expected 0 to 4 channels, got ", options.channels);
  require(bytes.size() <= INT32_MAX, name, ": too large for an image file, ", bytes.size(), " bytes");
  if (!bytes.empty() && bytes[0] == 0xff) check_huffman_tables(bytes, name);
  int width = 0, height = 0, channels = 0;
  largest_block = size_t{1} << 20;
  const int known = stbi_info_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &channels);
  require(known != 0, name, ": no PNG, JPEG or BMP image: ", stbi_failure_reason());
  require(width >= 1 && height >= 1 && int64_t{width} * height <= options.max_pixels, name, ": its ", width, " x ", height,
          " pixels are out of range; at most ", options.max_pixels, " are allowed");
  // The most that a decoder needs in one block: 8 bytes a pixel, twice while it grows; JPEG rounds sides up to whole blocks.
  largest_block += 16 * (static_cast<size_t>(width) + 64) * (static_cast<size_t>(height) + 64);
  constexpr stbi_io_callbacks callbacks{Source::read, Source::skip, Source::eof};
  Source source{bytes};
  const Pixels pixels(stbi_load_from_callbacks(&callbacks, &source, &width, &height, &channels, options.channels), std::free);
  require(!source.ran_out, name, ": cut short after ", bytes.size(), " bytes");
  require(pixels != nullptr, name, ": can't be decoded: ", pixels ? "" : stbi_failure_reason());
  return planes_of(pixels.get(), options.channels ? options.channels : channels, height, width);
}

Tensor read_image(const std::string& path, const ImageOptions& options) { return decode_image(read_file(path), path, options); }

void write_png(const std::string& path, const Tensor& image) {
  check_image("write_png", image);
  require(image.dtype() == u8 && image.size(0) <= 4, "write_png: expected u8 [C, H, W] with 1 to 4 channels, got ", image.dtype(), " ",
          image.shape());
  const int channels = static_cast<int>(image.size(0)), height = static_cast<int>(image.size(1)), width = static_cast<int>(image.size(2));
  require(image.numel() < INT32_MAX / 4, "write_png: an image of shape ", image.shape(), " is too large");
  const Tensor dense = kernels::contiguous(image);
  const auto* in = dense.data<uint8_t>();
  const int64_t count = int64_t{height} * width;
  Bytes interleaved(static_cast<size_t>(image.numel()));
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < count; ++i) interleaved[static_cast<size_t>(i * channels + c)] = in[c * count + i];
  int length = 0;
  const Pixels file(stbi_write_png_to_mem(interleaved.data(), width * channels, width, height, channels, &length), std::free);
  require(file != nullptr, path, ": no memory to encode an image of shape ", image.shape());
  write_file(path, ByteSpan(file.get(), static_cast<size_t>(length)));
}

Tensor resize(const Tensor& image, int64_t height, int64_t width, Filter filter) {
  check_image("resize", image);
  require(image.dtype() == u8 || image.dtype() == f32, "resize: expected u8 or f32, got ", image.dtype(), "; convert with cast(x, f32)");
  require(height >= 1 && width >= 1 && height <= largest_side && width <= largest_side, "resize: expected sides from 1 to ", largest_side, ", got ",
          height, " x ", width);
  const Tensor dense = kernels::contiguous(image);
  Tensor out = Tensor::empty({image.size(0), height, width}, image.dtype());
  const int in_h = static_cast<int>(image.size(1)), in_w = static_cast<int>(image.size(2));
  const auto type = image.dtype() == u8 ? STBIR_TYPE_UINT8 : STBIR_TYPE_FLOAT;
  const auto kind = filter == Filter::area ? STBIR_FILTER_BOX : STBIR_FILTER_TRIANGLE;
  const size_t in_plane = static_cast<size_t>(image.size(1) * image.size(2)) * size_of(image.dtype());
  const size_t out_plane = static_cast<size_t>(height * width) * size_of(image.dtype());
  for (int64_t c = 0; c < image.size(0); ++c) {
    const auto* from = static_cast<const std::byte*>(dense.raw()) + static_cast<size_t>(c) * in_plane;
    auto* to = static_cast<std::byte*>(out.raw()) + static_cast<size_t>(c) * out_plane;
    const int done = stbir_resize(from, in_w, in_h, 0, to, static_cast<int>(width), static_cast<int>(height), 0, type, 1, STBIR_ALPHA_CHANNEL_NONE, 0,
                                  STBIR_EDGE_CLAMP, STBIR_EDGE_CLAMP, kind, kind, STBIR_COLORSPACE_LINEAR, nullptr);
    require(done != 0, "resize: no memory to make ", image.shape(), " into ", out.shape());
  }
  return out;
}

}  // namespace scry::io
