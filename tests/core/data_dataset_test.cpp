#include "core/io_support.hpp"

#include <scry/core/data/dataset.hpp>
#include <scry/core/parallel.hpp>

using namespace scry;
using namespace scry::test;
using data::Split;

namespace {

void put_split(const TempFolder& folder, const std::string& prefix, uint32_t count, uint8_t classes, bool packed) {
  io::Bytes pixels, labels;
  for (uint32_t i = 0; i < count; ++i) {
    for (uint32_t p = 0; p < 6; ++p) pixels.push_back(static_cast<uint8_t>(10 * i + p));
    labels.push_back(static_cast<uint8_t>(i % classes));
  }
  const auto write = [&](const std::string& name, const io::Bytes& bytes) {
    packed ? put(folder / name + ".gz", gzip(bytes)) : put(folder / name, bytes);
  };
  write(prefix + "-images-idx3-ubyte", idx(8, {count, 2, 3}, pixels));
  write(prefix + "-labels-idx1-ubyte", idx(8, {count}, labels));
}

}  // namespace

TEST(Dataset, ReadsAFolderOfIdxFiles) {
  for (bool packed : {false, true}) {
    const TempFolder folder;
    put_split(folder, "train", 5, 3, packed);
    put_split(folder, "t10k", 4, 4, !packed);
    const data::ImageDataset train = data::load_dataset(folder.path(), Split::train), test = data::load_dataset(folder.path(), Split::test);
    EXPECT_EQ(train.size(), 5);
    EXPECT_EQ(train.images.shape(), Shape({5, 1, 2, 3}));
    EXPECT_EQ(train.images.dtype(), u8);
    EXPECT_EQ(train.images.to_vector<int64_t>()[4 * 6 + 5], 45);
    EXPECT_EQ(train.labels.dtype(), i64);
    EXPECT_EQ(train.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 1, 2, 0, 1}));
    EXPECT_EQ(test.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 1, 2, 3}));
    EXPECT_EQ(train.classes, (std::vector<std::string>{"0", "1", "2", "3"}));
    EXPECT_EQ(test.classes, train.classes);
  }
}

TEST(Dataset, NeedsItsOwnSplitOnly) {
  const TempFolder folder;
  put_split(folder, "train", 5, 3, false);
  EXPECT_EQ(data::load_idx_folder(folder.path(), Split::train).classes.size(), 3u);
  EXPECT_EQ(data::load_idx_folder(folder.path(), Split::train, {"a", "b", "c", "d"}).classes.size(), 4u);
  EXPECT_FAILS(data::load_idx_folder(folder.path(), Split::test), folder.path(), "t10k-images-idx3-ubyte", ".gz");
}

TEST(Dataset, SaysWhatIsWrong) {
  const TempFolder folder;
  const auto load = [&](std::vector<std::string> classes = {}) { return data::load_idx_folder(folder.path(), Split::train, std::move(classes)); };
  EXPECT_FAILS(data::load_dataset("no-such-set", Split::train), "'no-such-set'", "no such folder", "fashion-mnist");
  EXPECT_FAILS(data::load_idx_folder(folder / "none", Split::train), folder / "none", "no such folder");
  EXPECT_FAILS(load(), folder.path(), "train-images-idx3-ubyte");
  const std::string images = put(folder / "train-images-idx3-ubyte", idx(8, {2, 1, 1}, {1, 2})), labels = folder / "train-labels-idx1-ubyte";
  EXPECT_FAILS(load(), folder.path(), "train-labels-idx1-ubyte");
  put(labels, idx(8, {3}, {0, 1, 2}));
  EXPECT_FAILS(load(), labels, images, "3 labels", "2 images");
  put(labels, idx(8, {2}, {0, 7}));
  EXPECT_FAILS(load({"a", "b"}), labels, "label 7 of image 1", "2 classes");
  put(labels, idx(0x0c, {2}, io::Bytes(8, 0)));
  EXPECT_FAILS(load(), labels, "i64 [2]", "u8 [N]");
  put(labels, idx(8, {2, 1}, {0, 1}));
  EXPECT_FAILS(load(), labels, "u8 [2, 1]");
  put(labels, idx(8, {2}, {0, 1}));
  put(images, idx(8, {2, 1}, {0, 1}));
  EXPECT_FAILS(load(), images, "[N, H, W]");
  put(images, idx(8, {2, 1, 1}, {0}));
  EXPECT_FAILS(load(), images, "cut short");
}

TEST(Dataset, FashionMnist) {
  data::ImageDataset test;
  const std::string message = message_of([&] { test = data::load_dataset("fashion-mnist", Split::test); });
  if (message != nothing_thrown) {
    EXPECT_TRUE(contains(message, "apt-get install dataset-fashion-mnist")) << message;
    GTEST_SKIP() << message;
  }
  EXPECT_EQ(test.images.shape(), Shape({10000, 1, 28, 28}));
  EXPECT_EQ(test.classes.size(), 10u);
  EXPECT_EQ(test.classes[9], "Ankle boot");
  EXPECT_EQ(test.labels.to_vector<int64_t>()[0], 9);
  const data::ImageDataset train = data::load_dataset("fashion-mnist", Split::train);
  EXPECT_EQ(train.size(), 60000);
  const data::ChannelStatistics statistics = data::channel_statistics(train.images);
  EXPECT_NEAR(statistics.mean[0], 0.2860, 5e-5);  // the values in everybody's tutorials
  EXPECT_NEAR(statistics.std[0], 0.3530, 5e-5);
}

TEST(Dataset, ChannelStatistics) {
  const Tensor images = Tensor::of(std::vector<uint8_t>{0, 255, 10, 10, 255, 0, 10, 10}, {2, 2, 1, 2});
  const data::ChannelStatistics statistics = data::channel_statistics(images);
  EXPECT_EQ(statistics.mean, (std::vector<double>{0.5, 10 / 255.0}));
  EXPECT_EQ(statistics.std, (std::vector<double>{0.5, 0}));
  EXPECT_FAILS(data::channel_statistics(Tensor::empty({2, 2}, u8)), "[N, C, H, W]");
  EXPECT_FAILS(data::channel_statistics(Tensor::empty({0, 1, 2, 2}, u8)), "[0, 1, 2, 2]");
}
