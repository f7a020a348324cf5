#include "core/io_support.hpp"

#include <scry/core/io/image.hpp>
#include <scry/core/parallel.hpp>

using namespace scry;
using namespace scry::test;

namespace {

Tensor pattern(int64_t channels, int64_t height, int64_t width) {
  std::vector<uint8_t> values(static_cast<size_t>(channels * height * width));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint8_t>(i * 37 + i / 7);
  return Tensor::of(values, {channels, height, width});
}

std::vector<int64_t> values(const Tensor& x) { return x.to_vector<int64_t>(); }

// A grey JPEG of 8 x 8 pixels, all of them 128, as small as they get.
io::Bytes grey_jpeg() {
  io::Bytes out{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0};
  out = out + io::Bytes(64, 16);
  out = out + io::Bytes{0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0};
  out = out + io::Bytes{0xff, 0xc4, 0, 20, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};  // DC: one code, no bits
  out = out + io::Bytes{0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};  // AC: one code, end of block
  return out + io::Bytes{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9};
}

}  // namespace

TEST(Image, PngGoesThereAndBack) {
  const TempFolder folder;
  for (int64_t channels = 1; channels <= 4; ++channels) {
    const Tensor image = pattern(channels, 5, 7);
    io::write_png(folder / "i.png", image);
    const Tensor back = io::read_image(folder / "i.png");
    EXPECT_EQ(back.shape(), image.shape());
    EXPECT_EQ(values(back), values(image));
  }
  EXPECT_EQ(folder.count(), 1);
}

TEST(Image, AnyStrides) {
  const TempFolder folder;
  const Tensor image = pattern(3, 4, 6);
  const Tensor turned = Tensor::view(image.node().storage, 0, {3, 6, 4}, {24, 1, 6}, u8);
  io::write_png(folder / "i.png", turned);
  EXPECT_EQ(values(io::read_image(folder / "i.png")), values(turned));
  EXPECT_EQ(values(io::resize(turned, 6, 4)), values(turned));
}

TEST(Image, ChannelsAsAsked) {
  const TempFolder folder;
  io::write_png(folder / "rgb.png", Tensor::of(std::vector<uint8_t>{255, 0, 0, 255, 0, 0}, {3, 1, 2}));  // red, green
  const Tensor grey = io::read_image(folder / "rgb.png", {.channels = 1});
  EXPECT_EQ(grey.shape(), Shape({1, 1, 2}));
  EXPECT_EQ(values(grey), (std::vector<int64_t>{255 * 77 / 256, 255 * 150 / 256}));
  io::write_png(folder / "grey.png", Tensor::of(std::vector<uint8_t>{3, 200}, {1, 1, 2}));
  EXPECT_EQ(values(io::read_image(folder / "grey.png", {.channels = 3})), (std::vector<int64_t>{3, 200, 3, 200, 3, 200}));
  EXPECT_FAILS(io::read_image(folder / "grey.png", {.channels = 5}), "0 to 4 channels");
}

TEST(Image, Jpeg) {
  const Tensor image = io::decode_image(grey_jpeg(), "x.jpg");
  EXPECT_EQ(image.shape(), Shape({1, 8, 8}));
  EXPECT_EQ(values(image), std::vector<int64_t>(64, 128));
}

TEST(Image, CutShortAnywhere) {
  const TempFolder folder;
  io::write_png(folder / "i.png", pattern(3, 6, 5));
  for (const io::Bytes& file : {io::read_file(folder / "i.png"), grey_jpeg()}) {
    EXPECT_EQ(message_of([&] { io::decode_image(file, "x"); }), nothing_thrown);
    for (size_t length = 0; length < file.size(); ++length)
      EXPECT_TRUE(contains(message_of([&] { io::decode_image(io::ByteSpan(file).first(length), "x"); }), "x: ")) << length << " of " << file.size();
  }
}

TEST(Image, DamagedBytesNeverCrash) {
  const TempFolder folder;
  io::write_png(folder / "i.png", pattern(3, 6, 5));
  for (const io::Bytes& file : {io::read_file(folder / "i.png"), grey_jpeg()})
    for (size_t i = 0; i < file.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        io::Bytes changed = file;
        changed[i] ^= static_cast<uint8_t>(1 << bit);
        message_of([&] { io::decode_image(changed, "x", {.max_pixels = 1 << 20}); });
      }
}

TEST(Image, SaysWhatIsWrong) {
  const TempFolder folder;
  EXPECT_FAILS(io::read_image(folder / "none.png"), folder / "none.png", "No such file");
  EXPECT_FAILS(io::read_image(put(folder / "t.png", "just text")), folder / "t.png", "no PNG, JPEG or BMP image: Image not of any known type");
  EXPECT_FAILS(io::read_image(put(folder / "e.png", "")), folder / "e.png", "no PNG");
  io::write_png(folder / "i.png", pattern(1, 100, 100));
  EXPECT_FAILS(io::read_image(folder / "i.png", {.max_pixels = 9999}), folder / "i.png", "100 x 100", "9999");
  io::Bytes damaged = io::read_file(folder / "i.png");
  for (size_t i = 60; i < 200; ++i) damaged[i] = 0xff;
  EXPECT_FAILS(io::read_image(put(folder / "d.png", damaged)), folder / "d.png", "can't be decoded: ");
}

// 20 x 20 pixels, and data that would inflate to 16 MB.
TEST(Image, DataOfAnotherSizeStayBounded) {
  const TempFolder folder;
  io::write_png(folder / "i.png", pattern(1, 20, 20));
  io::Bytes file = io::read_file(folder / "i.png");
  uLongf length = 1 << 20;
  io::Bytes packed(length);
  const io::Bytes zeros(16 << 20, 0);
  ASSERT_EQ(compress2(packed.data(), &length, zeros.data(), zeros.size(), 9), Z_OK);
  packed.resize(length);
  file.resize(33);  // signature and header
  for (int shift = 24; shift >= 0; shift -= 8) file.push_back(static_cast<uint8_t>(length >> shift));
  file = file + bytes_of("IDAT") + packed + io::Bytes(4, 0) + io::Bytes{0, 0, 0, 0, 'I', 'E', 'N', 'D', 0, 0, 0, 0};
  EXPECT_FAILS(io::decode_image(file, "bomb"), "bomb: can't be decoded: Out of memory");
}

TEST(Image, WriteRefusesWhatPngCantHold) {
  const TempFolder folder;
  const std::string path = folder / "i.png";
  EXPECT_FAILS(io::write_png(path, Tensor::empty({3, 4, 4}, f32)), "u8", "f32");
  EXPECT_FAILS(io::write_png(path, Tensor::empty({5, 4, 4}, u8)), "1 to 4 channels", "[5, 4, 4]");
  EXPECT_FAILS(io::write_png(path, Tensor::empty({4, 4}, u8)), "[C, H, W]", "[4, 4]");
  EXPECT_FAILS(io::write_png(path, Tensor::empty({3, 0, 4}, u8)), "[3, 0, 4]");
  EXPECT_FAILS(io::write_png(folder / "none/i.png", pattern(1, 2, 2)), "there is no folder");
  EXPECT_EQ(folder.count(), 0);
}

TEST(Resize, AreaIsTheMeanOfWhatAPixelCovers) {
  const Tensor image = Tensor::of(std::vector<float>{0, 2, 4, 6, 8, 10, 12, 14, 100, 100, 100, 100, 100, 100, 100, 104}, {2, 2, 4});
  const auto small = io::resize(image, 1, 2, io::Filter::area).to_vector<float>();
  const float expected[] = {5, 9, 100, 101};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(small[i], expected[i], 1e-4);
}

TEST(Resize, BilinearBetweenNeighbours) {
  const Tensor image = Tensor::of(std::vector<float>{0, 4}, {1, 1, 2});
  const auto wide = io::resize(image, 1, 4).to_vector<float>();
  const float expected[] = {0, 1, 3, 4};  // pixel centres, edges repeated, as PyTorch with align_corners=False
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(wide[i], expected[i], 1e-5);
}

TEST(Resize, KeepsConstantsAndSizes) {
  for (const auto filter : {io::Filter::bilinear, io::Filter::area})
    for (int64_t h : {1, 2, 7, 28, 63})
      for (int64_t w : {1, 3, 28, 64}) {
        const Tensor out = io::resize(Tensor::of(std::vector<uint8_t>(28 * 28, 77), {1, 28, 28}), h, w, filter);
        EXPECT_EQ(out.shape(), Shape({1, h, w}));
        EXPECT_EQ(values(out), std::vector<int64_t>(static_cast<size_t>(h * w), 77));
      }
  EXPECT_EQ(values(io::resize(pattern(3, 9, 5), 9, 5)), values(pattern(3, 9, 5)));
}

TEST(Resize, ExtremeSizes) {
  for (const auto filter : {io::Filter::bilinear, io::Filter::area}) {
    EXPECT_EQ(io::resize(pattern(1, 1, 65536), 1, 1, filter).numel(), 1);
    EXPECT_EQ(io::resize(pattern(1, 1, 1), 65536, 1, filter).numel(), 65536);
    EXPECT_EQ(io::resize(pattern(1, 3000, 1), 2999, 2, filter).numel(), 5998);
  }
}

TEST(Resize, SaysWhatIsWrong) {
  EXPECT_FAILS(io::resize(pattern(1, 4, 4), 0, 3), "0 x 3");
  EXPECT_FAILS(io::resize(pattern(1, 4, 4), 3, -1), "3 x -1");
  EXPECT_FAILS(io::resize(pattern(1, 4, 4), 3, 100000), "65536");
  EXPECT_FAILS(io::resize(Tensor::empty({1, 4, 4}, i64), 2, 2), "i64");
  EXPECT_FAILS(io::resize(Tensor::empty({4, 4}), 2, 2), "[C, H, W]");
  EXPECT_FAILS(io::resize(Tensor::empty({1, 0, 4}), 2, 2), "[1, 0, 4]");
}
