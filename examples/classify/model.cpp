#include "model.hpp"

#include <scry/core/io/file.hpp>
#include <scry/core/io/safetensors.hpp>
#include <scry/scry.hpp>
#include <nlohmann/json.hpp>

namespace classify {
namespace {

using nlohmann::json;
using scry::Tensor;

constexpr const char* format = "scry-classifier-1";

template <class Network>
Model wrap(const std::string& architecture, const Network& network) {
  return {architecture, network, [network](const Tensor& x) { return network(x); }};
}

using Maker = Model (*)(const std::string& name, const ImageKind& kind);

const std::map<std::string, Maker> makers = {
    {"cnn",
     [](const std::string& name, const ImageKind& kind) {
       return wrap(name, scry::nn::SmallCnn{kind.channels, static_cast<int64_t>(kind.classes.size()), kind.height, kind.width});
     }},
    {"lenet",
     [](const std::string& name, const ImageKind& kind) {
       scry::require(kind.height == 28 && kind.width == 28, "model lenet reads images of 28 x 28, these have ", kind.height, " x ", kind.width,
                     "; use --model cnn");
       return wrap(name, scry::nn::LeNet{kind.channels, static_cast<int64_t>(kind.classes.size())});
     }},
    {"mlp",
     [](const std::string& name, const ImageKind& kind) {
       const auto net = scry::nn::mlp({kind.channels * kind.height * kind.width, 256, 128, static_cast<int64_t>(kind.classes.size())});
       return Model{name, net, [net](const Tensor& x) { return net(scry::flatten(x, 1)); }};
     }},
};

}  // namespace

std::string architectures() {
  std::string names;
  for (const auto& [name, make] : makers) names += (names.empty() ? "" : ", ") + name;
  return names;
}

bool is_architecture(const std::string& name) { return makers.contains(name); }

Model make_model(const std::string& architecture, const ImageKind& kind) {
  const auto found = makers.find(architecture);
  scry::require(found != makers.end(), "no model '", architecture, "'; there are ", architectures());
  return found->second(architecture, kind);
}

std::string model_path(const std::string& folder) { return folder + "/model.safetensors"; }
std::string checkpoint_path(const std::string& folder) { return folder + "/checkpoint.safetensors"; }

std::map<std::string, std::string> describe(const Model& model, const ImageKind& kind) {
  const json classifier = {{"format", format},          {"architecture", model.architecture},
                           {"channels", kind.channels}, {"height", kind.height},
                           {"width", kind.width},       {"classes", kind.classes},
                           {"mean", kind.mean},         {"std", kind.std}};
  return {{"classifier", classifier.dump()}};
}

namespace {

// A folder's finished network, or where there is none yet the checkpoint.
std::string file_of(const std::string& path) {
  if (!scry::io::is_folder(path)) return path;
  return scry::io::is_file(model_path(path)) ? model_path(path) : checkpoint_path(path);
}

ImageKind read_kind(const std::string& path, const std::string& description, std::string& architecture) {
  ImageKind kind;
  try {
    const json classifier = json::parse(description);
    scry::require(classifier.at("format") == format, path, ": written by another version of classify, as ", classifier.at("format").dump());
    architecture = classifier.at("architecture");
    classifier.at("channels").get_to(kind.channels);
    classifier.at("height").get_to(kind.height);
    classifier.at("width").get_to(kind.width);
    classifier.at("classes").get_to(kind.classes);
    classifier.at("mean").get_to(kind.mean);
    classifier.at("std").get_to(kind.std);
  } catch (const json::exception& error) {
    scry::fail(path, ": the description of the classifier is damaged: ", error.what());
  }
  constexpr int64_t most = 1 << 14;
  const auto channels = static_cast<size_t>(kind.channels);
  scry::require(kind.channels >= 1 && kind.channels <= 4 && kind.height >= 1 && kind.height <= most && kind.width >= 1 && kind.width <= most &&
                    !kind.classes.empty() && kind.mean.size() == channels && kind.std.size() == channels,
                path, ": the description of the classifier is damaged: its sizes don't fit together");
  return kind;
}

}  // namespace

LoadedModel load_model(const std::string& given) {
  const std::string path = file_of(given);
  scry::io::SafetensorsFile file = scry::io::load_safetensors(path);
  const auto found = file.metadata.find("classifier");
  scry::require(found != file.metadata.end(), path, ": this file doesn't say which classifier it holds; use one that 'classify train' wrote");
  std::string architecture;
  const ImageKind kind = read_kind(path, found->second, architecture);
  // A checkpoint has the optimizer's state beside the network, under names with one of these.
  std::erase_if(file.tensors, [](const scry::NamedTensor& each) { return each.name.find_first_of(":/") != std::string::npos; });
  try {
    const Model model = make_model(architecture, kind);
    scry::nn::load(model.network, file.tensors);
    model.network.eval();
    return {model, kind};
  } catch (const scry::Error& error) {
    throw scry::Error(path, error);
  }
}

}  // namespace classify
