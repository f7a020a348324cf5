#pragma once

#include <scry/nn/module.hpp>
#include <functional>
#include <map>

namespace classify {

/// What a network reads and tells apart.
struct ImageKind {
  int64_t channels = 1, height = 28, width = 28;
  std::vector<std::string> classes;
  std::vector<double> mean, std;  ///< of each channel, for values from 0 to 1: images are normalised by them
  friend bool operator==(const ImageKind&, const ImageKind&) = default;
};

/// A network of any of the architectures: images f32 [N, C, H, W] to logits [N, classes].
struct Model {
  std::string architecture;
  scry::nn::ModuleBase network;
  std::function<scry::Tensor(const scry::Tensor&)> forward;
};

/// "cnn", "lenet", "mlp".
std::vector<std::string> architectures();

/// A new network with initial weights from the default generator.
Model make_model(const std::string& architecture, const ImageKind& kind);

/// The metadata of a file that holds such a network: what load_model makes it again from.
std::map<std::string, std::string> describe(const Model& model, const ImageKind& kind);

/// The kind of image that such metadata tell of; an Error in the name of `path` where they don't.
ImageKind read_kind(const std::string& path, const std::map<std::string, std::string>& metadata);

struct LoadedModel {
  Model model;
  ImageKind kind;
};
/// The network of a file with that metadata, a plain one or a checkpoint of its training, or of the folder that `classify train` wrote them to.
LoadedModel load_model(const std::string& path);

// The files in a training folder: the network alone, once it is trained, and all that training needs to go on.
std::string model_path(const std::string& folder);
std::string checkpoint_path(const std::string& folder);

}  // namespace classify
