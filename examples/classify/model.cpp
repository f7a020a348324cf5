#include "model.hpp"

#include <scry/core/io/file.hpp>
#include <scry/core/io/safetensors.hpp>
#include <scry/scry.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "words.hpp"

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
       scry::require(kind.height >= 8 && kind.width >= 8, "model cnn reads images of at least 8 x 8, these have ", kind.height, " x ", kind.width,
                     "; use --model mlp");
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

std::vector<std::string> architectures() {
  std::vector<std::string> names;
  for (const auto& [name, make] : makers) names.push_back(name);
  return names;
}

Model make_model(const std::string& architecture, const ImageKind& kind) {
  const auto found = makers.find(architecture);
  scry::require(found != makers.end(), "no model '", architecture, "'; there are ", joined(architectures()));
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
  if (scry::io::is_file(model_path(path))) return model_path(path);
  scry::require(scry::io::is_file(checkpoint_path(path)), path, ": there is no network in this folder; 'classify train --out ", path,
                "' would train one");
  return checkpoint_path(path);
}

ImageKind read_kind(const std::string& path, const std::map<std::string, std::string>& metadata, std::string& architecture) {
  const auto found = metadata.find("classifier");
  scry::require(found != metadata.end(), path, ": this file doesn't say which classifier it holds; use one that 'classify train' wrote");
  ImageKind kind;
  try {
    const json classifier = json::parse(found->second);
    scry::require(classifier.at("format") == format, path, ": written by another version of classify, as ", classifier.at("format").dump());
    architecture = classifier.at("architecture");
    for (const auto& [key, value] : {std::pair{"channels", &kind.channels}, {"height", &kind.height}, {"width", &kind.width}})
      *value = classifier.at(key).is_number_integer() ? classifier.at(key).get<int64_t>() : 0;
    classifier.at("classes").get_to(kind.classes);
    classifier.at("mean").get_to(kind.mean);
    classifier.at("std").get_to(kind.std);
  } catch (const json::exception& error) {
    scry::fail(path, ": the description of the classifier is damaged: ", error.what());
  }
  constexpr int64_t most = 1 << 14;
  const auto channels = static_cast<size_t>(kind.channels);
  scry::require(kind.channels >= 1 && kind.channels <= 4 && kind.height >= 1 && kind.height <= most && kind.width >= 1 && kind.width <= most &&
                    !kind.classes.empty() && kind.mean.size() == channels && kind.std.size() == channels &&
                    std::all_of(kind.std.begin(), kind.std.end(), [](double std) { return std > 0; }),
                path, ": the description of the classifier is damaged: its sizes don't fit together");
  return kind;
}

}  // namespace

ImageKind read_kind(const std::string& path, const std::map<std::string, std::string>& metadata) {
  std::string architecture;
  return read_kind(path, metadata, architecture);
}

LoadedModel load_model(const std::string& given) {
  const std::string path = file_of(given);
  scry::io::SafetensorsFile file = scry::io::load_safetensors(path);
  std::string architecture;
  const ImageKind kind = read_kind(path, file.metadata, architecture);
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
