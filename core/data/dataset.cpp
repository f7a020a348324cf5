#include <scry/core/data/dataset.hpp>
#include <scry/core/io/file.hpp>
#include <scry/core/io/idx.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <scry_fashion_mnist.hpp>

namespace scry::data {
namespace {

const char* prefix_of(Split split) { return split == Split::train ? "train" : "t10k"; }

// The path of one of the four files, plain or gzip; empty where there is neither.
std::string find_idx(const std::string& folder, Split split, const char* what) {
  const std::string path = text(folder, "/", prefix_of(split), "-", what);
  if (io::is_file(path)) return path;
  return io::is_file(path + ".gz") ? path + ".gz" : std::string();
}

std::string need_idx(const std::string& folder, Split split, const char* what) {
  std::string path = find_idx(folder, split, what);
  require(!path.empty(), folder, ": there is no file ", prefix_of(split), "-", what, ", nor one with .gz added; a folder of IDX files needs it");
  return path;
}

Tensor read_bytes(const std::string& path, int rank, const char* what) {
  Tensor tensor = io::read_idx(path);
  require(tensor.dtype() == u8 && tensor.rank() == rank, path, ": holds ", tensor.dtype(), " ", tensor.shape(), "; expected u8 ", what);
  return tensor;
}

int64_t class_count(const Tensor& labels) {
  const auto* data = labels.data<uint8_t>();
  return labels.numel() ? 1 + *std::max_element(data, data + labels.numel()) : 0;
}

// Both splits count, so that a class that one of them lacks doesn't change what the other's labels mean.
std::vector<std::string> numbered_classes(const std::string& folder, Split split, const Tensor& labels) {
  int64_t count = class_count(labels);
  const std::string other = find_idx(folder, split == Split::train ? Split::test : Split::train, "labels-idx1-ubyte");
  if (!other.empty()) count = std::max(count, class_count(read_bytes(other, 1, "[N]")));
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(text(i));
  return names;
}

void check_labels(const std::string& where, const Tensor& labels, size_t classes) {
  const Tensor dense = kernels::contiguous(labels);
  const auto* data = dense.data<int64_t>();
  for (int64_t i = 0; i < dense.numel(); ++i)
    require(data[i] >= 0 && static_cast<size_t>(data[i]) < classes, where, ": label ", data[i], " of image ", i, " is out of range: there are ",
            classes, " classes");
}

ImageDataset load_fashion_mnist(Split split) {
  const std::string folder = fashion_mnist_folder;
  require(io::is_folder(folder), "fashion-mnist: there is no folder ", folder, "; install it with: apt-get install dataset-fashion-mnist");
  return load_idx_folder(folder, split, {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"});
}

}  // namespace

void check_dataset(const std::string& where, const ImageDataset& dataset) {
  const auto& [images, labels, classes] = dataset;
  require(images.defined() && images.dtype() == u8 && images.rank() == 4, where, ": expected u8 images [N, C, H, W]",
          images.defined() ? text(", got ", images.dtype(), " ", images.shape()) : "");
  require(labels.defined() && labels.dtype() == i64 && labels.rank() == 1, where, ": expected i64 labels [N]",
          labels.defined() ? text(", got ", labels.dtype(), " ", labels.shape()) : "");
  require(images.size(0) == labels.size(0), where, ": ", images.size(0), " images have ", labels.size(0), " labels; there must be one for each");
  check_labels(where, labels, classes.size());
}

ImageDataset load_idx_folder(const std::string& folder, Split split, std::vector<std::string> classes) {
  require(io::is_folder(folder), folder, ": there is no such folder");
  const std::string images_path = need_idx(folder, split, "images-idx3-ubyte"), labels_path = need_idx(folder, split, "labels-idx1-ubyte");
  const Tensor images = read_bytes(images_path, 3, "[N, H, W]"), labels = read_bytes(labels_path, 1, "[N]");
  require(images.size(0) == labels.size(0), labels_path, ": has ", labels.size(0), " labels for the ", images.size(0), " images in ", images_path,
          "; the files don't belong together");
  if (classes.empty()) classes = numbered_classes(folder, split, labels);
  const Shape shape{images.size(0), 1, images.size(1), images.size(2)};
  ImageDataset dataset{Tensor::view(images.node().storage, 0, shape, row_major_strides(shape), u8), kernels::cast(labels, i64), std::move(classes)};
  check_dataset(labels_path, dataset);
  return dataset;
}

ImageDataset load_dataset(const std::string& name_or_folder, Split split) {
  if (name_or_folder == "fashion-mnist") return load_fashion_mnist(split);
  require(io::is_folder(name_or_folder), "data set '", name_or_folder,
          "': there is no such folder; give one with files like train-images-idx3-ubyte, or ", "the name fashion-mnist");
  return load_idx_folder(name_or_folder, split);
}

ChannelStatistics channel_statistics(const Tensor& images) {
  require(images.rank() == 4 && images.dtype() == u8 && images.numel() > 0, "channel_statistics: expected u8 images [N, C, H, W], got ",
          images.dtype(), " ", images.shape());
  const Tensor dense = kernels::contiguous(images);
  const auto* data = dense.data<uint8_t>();
  const int64_t channels = images.size(1), plane = images.size(2) * images.size(3);
  // Sums of integers are exact, so the order in which threads add them doesn't matter.
  std::vector<std::atomic<uint64_t>> sums(static_cast<size_t>(channels)), squares(static_cast<size_t>(channels));
  parallel_for(images.size(0) * channels, grain_for(plane), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      uint64_t sum = 0, square = 0;
      for (const uint8_t *x = data + p * plane, *last = x + plane; x < last; ++x) {
        sum += *x;
        square += uint32_t{*x} * *x;
      }
      const auto channel = static_cast<size_t>(p % channels);
      sums[channel].fetch_add(sum, std::memory_order_relaxed);
      squares[channel].fetch_add(square, std::memory_order_relaxed);
    }
  });
  const auto count = static_cast<double>(images.size(0) * plane);
  ChannelStatistics out;
  for (size_t c = 0; c < sums.size(); ++c) {
    const double mean = static_cast<double>(sums[c]) / count, variance = static_cast<double>(squares[c]) / count - mean * mean;
    out.mean.push_back(mean / 255);
    out.std.push_back(std::sqrt(std::max(variance, 0.0)) / 255);
  }
  return out;
}

}  // namespace scry::data
