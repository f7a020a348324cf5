#include "predict.hpp"

#include <scry/scry.hpp>
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <nlohmann/json.hpp>

#include "model.hpp"
#include "score.hpp"
#include "words.hpp"

namespace classify {
namespace {

using scry::Tensor;

// A picture as the network reads it: f32 [1, C, H, W], in its size, normalised.
Tensor read_input(const std::string& path, const ImageKind& kind) {
  Tensor image = scry::io::read_image(path, {.channels = static_cast<int>(kind.channels)});
  if (image.size(1) != kind.height || image.size(2) != kind.width) image = scry::io::resize(image, kind.height, kind.width);
  const scry::Shape by_channel{kind.channels, 1, 1};
  const Tensor mean = scry::cast(Tensor::of(kind.mean, by_channel), scry::f32), std = scry::cast(Tensor::of(kind.std, by_channel), scry::f32);
  return scry::unsqueeze((scry::cast(image, scry::f32) / 255 - mean) / std, 0);
}

}  // namespace

void predict(const std::string& checkpoint, const std::vector<std::string>& images, int64_t top) {
  const scry::NoGrad no_grad;
  const auto [model, kind] = load_model(checkpoint);
  // All are read before anything is printed, so that a missing one is the only line.
  std::vector<Tensor> inputs;
  for (const std::string& path : images) inputs.push_back(read_input(path, kind));
  size_t width = 0;
  for (const std::string& path : images) width = std::max(width, path.size());
  for (size_t i = 0; i < images.size(); ++i) {
    const std::vector<float> odds = scry::softmax(model.forward(inputs[i]), 1).to_vector<float>();
    std::vector<size_t> order(odds.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return odds[a] > odds[b]; });
    order.resize(std::min(order.size(), static_cast<size_t>(top)));
    std::printf("%-*s", static_cast<int>(std::min<size_t>(width, 60)) + 1, (images[i] + ":").c_str());
    for (const size_t which : order) std::printf("  %s %.1f %%", kind.classes[which].c_str(), 100 * static_cast<double>(odds[which]));
    std::printf("\n");
  }
}

void evaluate_checkpoint(const std::string& checkpoint, const std::string& data, bool json) {
  const auto [model, kind] = load_model(checkpoint);
  const auto test = scry::data::load_dataset(data, scry::data::Split::test);
  scry::require(test.images.size(1) == kind.channels && test.images.size(2) == kind.height && test.images.size(3) == kind.width &&
                    test.classes.size() <= kind.classes.size(),
                data, ": images of shape ", test.images.shape(), " in ", test.classes.size(), " classes don't fit a network for ", kind.channels,
                " x ", kind.height, " x ", kind.width, " in ", kind.classes.size(), " classes");
  scry::require(test.size() > 0, data, ": the test split is empty");
  // A folder's classes are numbers, and may be those of a data set that has names for them; other names are other classes.
  const bool same = std::equal(test.classes.begin(), test.classes.end(), kind.classes.begin());
  scry::require(same || test.classes[0] == "0", data, ": its classes, ", joined(test.classes), ", aren't those of the network, ",
                joined(kind.classes), "; name the folder of its data with --data");
  scry::data::Loader loader(test, {.batch = 500, .shuffle = false, .mean = kind.mean, .std = kind.std});
  const Score score = evaluate(model, loader);
  print_score(score, kind.classes);
  if (json)
    std::printf(
        "%s\n",
        nlohmann::json{{"test_accuracy", score.accuracy()}, {"test_accuracy_std", score.uncertainty()}, {"images", score.all()}}.dump().c_str());
}

}  // namespace classify
