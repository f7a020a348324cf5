#pragma once

#include <scry/core/tensor.hpp>

namespace scry::data {

enum class Split { train, test };

/// Pictures of one size, each with a class.
struct ImageDataset {
  Tensor images;                     ///< u8 [N, C, H, W]
  Tensor labels;                     ///< i64 [N], from 0 to classes.size() - 1
  std::vector<std::string> classes;  ///< their names

  int64_t size() const { return images.size(0); }
};

/// Throws an Error, in the name of `where`, unless shapes, types, counts and labels are as ImageDataset says.
void check_dataset(const std::string& where, const ImageDataset& dataset);

/// The data set "fashion-mnist" (Xiao, Rasul and Vollgraf 2017; Debian package dataset-fashion-mnist), or that in a folder of IDX files.
ImageDataset load_dataset(const std::string& name_or_folder, Split split);

/// A folder with files named as MNIST's: train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-… for the test split; each may be
/// gzip, named ….gz. Without `classes` they are called "0", "1", …, up to the largest label in either split. A missing or damaged
/// file, counts that differ, or a label without a class is an Error that says which file.
ImageDataset load_idx_folder(const std::string& folder, Split split, std::vector<std::string> classes = {});

/// Mean and standard deviation of each channel of u8 [N, C, H, W], over all images and pixels, of values divided by 255.
struct ChannelStatistics {
  std::vector<double> mean, std;
};
ChannelStatistics channel_statistics(const Tensor& images);

}  // namespace scry::data
