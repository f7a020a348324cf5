#include "core/io_support.hpp"

#include <scry/core/data/loader.hpp>
#include <scry/core/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace scry;
using namespace scry::test;
using data::Loader;
using data::LoaderOptions;

namespace {

// Image i is of label i, and its pixels begin with i.
data::ImageDataset numbered(int64_t count, int64_t channels = 1, int64_t side = 2) {
  const int64_t each = channels * side * side;
  std::vector<uint8_t> pixels(static_cast<size_t>(count * each));
  for (int64_t i = 0; i < count * each; ++i) pixels[static_cast<size_t>(i)] = static_cast<uint8_t>(i / each + i % each);
  std::vector<int64_t> labels(static_cast<size_t>(count));
  std::iota(labels.begin(), labels.end(), 0);
  return {Tensor::of(pixels, {count, channels, side, side}), Tensor::of(labels, {count}), std::vector<std::string>(static_cast<size_t>(count), "c")};
}

struct Epoch {
  std::vector<int64_t> labels, sizes;
  std::vector<float> pixels;
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

Epoch rest_of_epoch(Loader& loader) {
  Epoch epoch;
  for (auto [images, labels] : loader) {
    EXPECT_EQ(images.size(0), labels.size(0));
    epoch.sizes.push_back(images.size(0));
    for (int64_t label : labels.to_vector<int64_t>()) epoch.labels.push_back(label);
    for (float pixel : images.to_vector<float>()) epoch.pixels.push_back(pixel);
  }
  return epoch;
}

std::vector<int64_t> sorted(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

TEST(Loader, WithoutShufflingInOrder) {
  Loader loader(numbered(10), {.batch = 4, .shuffle = false});
  EXPECT_EQ(loader.size(), 10);
  EXPECT_EQ(loader.batches(), 3);
  for (int round = 0; round < 2; ++round) {
    const Epoch epoch = rest_of_epoch(loader);
    EXPECT_EQ(epoch.sizes, (std::vector<int64_t>{4, 4, 2}));
    EXPECT_EQ(epoch.labels, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(epoch.pixels[4 * 7 + 3], static_cast<float>(10 / 255.0));
  }
}

TEST(Loader, DropLast) {
  Loader loader(numbered(10), {.batch = 4, .drop_last = true});
  EXPECT_EQ(loader.batches(), 2);
  EXPECT_EQ(rest_of_epoch(loader).sizes, (std::vector<int64_t>{4, 4}));
  EXPECT_EQ(Loader(numbered(8), {.batch = 4}).batches(), 2);
  EXPECT_EQ(Loader(numbered(8), {.batch = 100}).batches(), 1);
}

TEST(Loader, AnEpochHasEveryImageOnceInAnOrderOfItsOwn) {
  Loader loader(numbered(100), {.batch = 7});
  const Epoch first = rest_of_epoch(loader), second = rest_of_epoch(loader);
  EXPECT_EQ(sorted(first.labels), sorted(second.labels));
  std::vector<int64_t> all(100);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sorted(first.labels), all);
  EXPECT_NE(first.labels, second.labels);
  EXPECT_NE(first.labels, sorted(first.labels));
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(first.pixels[4 * i], static_cast<float>(static_cast<double>(first.labels[i]) / 255.0));
  Loader same(numbered(100), {.batch = 7}), other(numbered(100), {.batch = 7, .seed = 1});
  EXPECT_EQ(rest_of_epoch(same), first);
  EXPECT_NE(rest_of_epoch(other).labels, first.labels);
}

TEST(Loader, TheOrderDoesNotDependOnTheBatchSize) {
  Loader a(numbered(100), {.batch = 7}), b(numbered(100), {.batch = 64});
  EXPECT_EQ(rest_of_epoch(a).labels, rest_of_epoch(b).labels);
}

TEST(Loader, NormalisesByChannel) {
  Loader loader(numbered(3, 2, 1), {.shuffle = false, .mean = {0.5, 0.1}, .std = {2, 0.25}});
  for (auto [images, labels] : loader) {
    EXPECT_EQ(images.shape(), Shape({3, 2, 1, 1}));
    EXPECT_EQ(images.dtype(), f32);
    const auto x = images.to_vector<float>();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(x[static_cast<size_t>(2 * i)], static_cast<float>((i / 255.0 - 0.5) / 2));
      EXPECT_EQ(x[static_cast<size_t>(2 * i + 1)], static_cast<float>(((i + 1) / 255.0 - 0.1) / 0.25));
    }
  }
}

TEST(Loader, GoesOnInTheMiddleOfAnEpoch) {
  Loader whole(numbered(50), {.batch = 8});
  rest_of_epoch(whole);
  const Epoch second = rest_of_epoch(whole), third = rest_of_epoch(whole);
  for (int64_t stop = 0; stop <= whole.batches(); ++stop) {
    Loader first(numbered(50), {.batch = 8}), resumed(numbered(50), {.batch = 8});
    rest_of_epoch(first);
    Epoch seen;
    data::LoaderState state = first.state();
    EXPECT_EQ(state, (data::LoaderState{1, 0}));
    if (stop > 0)
      for (auto [images, labels] : first) {
        for (int64_t label : labels.to_vector<int64_t>()) seen.labels.push_back(label);
        state = first.state();
        if (state.batch == stop) break;
      }
    EXPECT_EQ(state, (data::LoaderState{1, stop}));
    resumed.set_state(state);
    const Epoch rest = rest_of_epoch(resumed);
    seen.labels.insert(seen.labels.end(), rest.labels.begin(), rest.labels.end());
    EXPECT_EQ(seen.labels, second.labels) << stop;
    EXPECT_TRUE(std::equal(rest.pixels.rbegin(), rest.pixels.rend(), second.pixels.rbegin()));
    EXPECT_EQ(resumed.state(), (data::LoaderState{2, 0}));
    EXPECT_EQ(rest_of_epoch(resumed), third);
  }
}

TEST(Loader, ALoopLeftEarlyDoesNotShortenTheNext) {
  Loader loader(numbered(50), {.batch = 8});
  for (auto [images, labels] : loader) break;
  EXPECT_EQ(loader.state(), (data::LoaderState{0, 1}));
  EXPECT_EQ(rest_of_epoch(loader).labels.size(), 50u);
  EXPECT_EQ(loader.state(), (data::LoaderState{2, 0}));
}

TEST(Loader, TheNumberOfThreadsDoesNotMatter) {
  const int before = thread_count();
  std::vector<Epoch> epochs;
  for (int threads : {1, 2, 5}) {
    set_thread_count(threads);
    Loader loader(numbered(64, 3, 64), {.batch = 32, .mean = {0.1, 0.2, 0.3}, .std = {1, 2, 3}});
    epochs.push_back(rest_of_epoch(loader));
  }
  set_thread_count(before);
  EXPECT_EQ(epochs[0], epochs[1]);
  EXPECT_EQ(epochs[0], epochs[2]);
}

TEST(Loader, AnyStrides) {
  data::ImageDataset dataset = numbered(6, 2, 3);
  Loader plain(dataset, {.batch = 4});
  Tensor turned = Tensor::empty_strided(dataset.images.shape(), {18, 1, 6, 2}, u8);  // channels last
  for (int64_t n = 0; n < 6; ++n)
    for (int64_t c = 0; c < 2; ++c)
      for (int64_t i = 0; i < 9; ++i) turned.mutable_data<uint8_t>()[n * 18 + i * 2 + c] = dataset.images.data<uint8_t>()[n * 18 + c * 9 + i];
  dataset.images = turned;
  Loader strided(dataset, {.batch = 4});
  EXPECT_EQ(rest_of_epoch(strided), rest_of_epoch(plain));
}

TEST(Loader, SaysWhatIsWrong) {
  const auto make = [](const LoaderOptions& options, int64_t count = 10) { Loader(numbered(count), options); };
  EXPECT_FAILS(make({.batch = 0}), "at least 1", "got 0");
  EXPECT_FAILS(make({.batch = 11, .drop_last = true}), "drop_last leaves nothing");
  EXPECT_FAILS(make({}, 0), "empty");
  EXPECT_FAILS(make({.mean = {0.5, 0.5}}), "1 values of mean", "got 2");
  EXPECT_FAILS(make({.std = {0.5, 0.5}}), "1 values of std", "got 2");
  EXPECT_FAILS(make({.std = {0}}), "std must be positive");
  EXPECT_FAILS(make({.mean = {std::nan("")}}), "mean must be finite");
  data::ImageDataset dataset = numbered(10);
  dataset.labels = Tensor::of(std::vector<int64_t>{1}, {1});
  EXPECT_FAILS(Loader{dataset}, "10 images have 1 labels");
  dataset.labels = Tensor::of(std::vector<int64_t>(10, 10), {10});
  EXPECT_FAILS(Loader{dataset}, "label 10 of image 0", "10 classes");
  dataset.labels = Tensor::of(std::vector<int64_t>(10, -1), {10});
  EXPECT_FAILS(Loader{dataset}, "label -1");
  EXPECT_FAILS(Loader(data::ImageDataset{}), "u8 images");
  dataset.images = Tensor::empty({10, 1, 2, 2}, f32);
  EXPECT_FAILS(Loader{dataset}, "f32 [10, 1, 2, 2]");
  Loader loader(numbered(10), {.batch = 4});
  EXPECT_FAILS(loader.set_state({0, 4}), "batch 4", "3 batches");
  EXPECT_FAILS(loader.set_state({-1, 0}), "epoch -1");
  EXPECT_FAILS(loader.set_state({int64_t{1} << 40, 0}), "epoch");
}
