#include <scry/core/creation.hpp>
#include <scry/core/data/loader.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/parallel.hpp>
#include <scry/core/random.hpp>
#include <scry/core/state.hpp>

#include <algorithm>
#include <cmath>

namespace scry::data {
namespace {

// Epochs draw from blocks that nobody else with the same seed gets to: the upper half of the counter, 2^40 blocks each.
constexpr int64_t most_epochs = int64_t{1} << 23;
Generator epoch_generator(uint64_t seed, int64_t epoch) { return Generator(seed, uint64_t{1} << 63 | static_cast<uint64_t>(epoch) << 40); }

void check_per_channel(const char* name, const std::vector<double>& values, int64_t channels) {
  require(values.empty() || static_cast<int64_t>(values.size()) == channels, "loader: expected ", channels, " values of ", name,
          ", one for each channel, got ", values.size());
  for (double value : values) require(std::isfinite(value), "loader: ", name, " must be finite, got ", value);
}

}  // namespace

Loader::Loader(ImageDataset dataset, LoaderOptions options) : dataset_(std::move(dataset)), options_(std::move(options)) {
  check_dataset("loader", dataset_);
  require(options_.batch >= 1, "loader: expected a batch of at least 1 image, got ", options_.batch);
  require(size() >= 1, "loader: the data set is empty");
  require(batches() >= 1, "loader: drop_last leaves nothing of ", size(), " images in batches of ", options_.batch, "; choose a smaller batch");
  dataset_.images = kernels::contiguous(dataset_.images);
  dataset_.labels = kernels::contiguous(dataset_.labels);
  make_table();
}

void Loader::make_table() {
  const int64_t channels = dataset_.images.size(1);
  check_per_channel("mean", options_.mean, channels);
  check_per_channel("std", options_.std, channels);
  for (double value : options_.std) require(value > 0, "loader: std must be positive, got ", value);
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const double mean = options_.mean.empty() ? 0 : options_.mean[c], std = options_.std.empty() ? 1 : options_.std[c];
    for (int x = 0; x < 256; ++x) table_.push_back(static_cast<float>((x / 255.0 - mean) / std));
  }
}

int64_t Loader::batches() const {
  const int64_t whole = size() / options_.batch;
  return options_.drop_last || size() % options_.batch == 0 ? whole : whole + 1;
}

void Loader::set_state(const LoaderState& state) {
  require(state.epoch >= 0 && state.epoch < most_epochs && state.batch >= 0 && state.batch <= batches(), "loader: no state can be epoch ",
          state.epoch, ", batch ", state.batch, ": an epoch of this data set has ", batches(), " batches");
  state_ = state;
  resumes_ = true;
}

std::vector<NamedTensor> Loader::state_dict() const {
  const auto number = [](int64_t value) { return tensor(std::vector{value}, Shape{}); };
  return {{"epoch", number(state_.epoch)},          {"batch", number(state_.batch)},       {"images", number(size())},
          {"batch_size", number(options_.batch)},   {"shuffle", number(options_.shuffle)}, {"seed", number(static_cast<int64_t>(options_.seed))},
          {"drop_last", number(options_.drop_last)}};
}

void Loader::load_state_dict(const std::vector<NamedTensor>& state) {
  for (const auto& [name, value] : state_dict()) {
    if (name == "epoch" || name == "batch") continue;
    const int64_t saved = state_integer("loader", state, name);
    require(saved == value.item<int64_t>(), "loader: ", name, " was ", saved, " where the state was saved and is ", value.item<int64_t>(), " here");
  }
  set_state({state_integer("loader", state, "epoch"), state_integer("loader", state, "batch")});
}

Loader::Iterator Loader::begin() {
  if (!resumes_ && state_.batch > 0) state_ = {state_.epoch + 1, 0};
  resumes_ = false;
  return Iterator(*this);
}

void Loader::shuffle() {
  if (!options_.shuffle || order_epoch_ == state_.epoch) return;
  Generator generator = epoch_generator(options_.seed, state_.epoch);
  order_ = randperm(size(), generator);
  order_epoch_ = state_.epoch;
}

bool Loader::next(Batch& batch) {
  if (state_.batch >= batches()) {
    state_ = {state_.epoch + 1, 0};
    batch = {};
    return false;
  }
  shuffle();
  const int64_t first = state_.batch * options_.batch, count = std::min(options_.batch, size() - first);
  const int64_t* order = options_.shuffle ? order_.data<int64_t>() + first : nullptr;
  const auto source = [=](int64_t i) { return order ? order[i] : first + i; };

  const Shape& shape = dataset_.images.shape();
  const int64_t channels = shape[1], plane = shape[2] * shape[3];
  batch = {Tensor::empty({count, channels, shape[2], shape[3]}, f32), Tensor::empty({count}, i64)};
  auto* images = batch.images.mutable_data<float>();
  auto* labels = batch.labels.mutable_data<int64_t>();
  const auto* all_images = dataset_.images.data<uint8_t>();
  const auto* all_labels = dataset_.labels.data<int64_t>();
  for (int64_t i = 0; i < count; ++i) labels[i] = all_labels[source(i)];
  parallel_for(count * channels, grain_for(plane * static_cast<int64_t>(sizeof(float))), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const float* values = table_.data() + p % channels * 256;
      const uint8_t* in = all_images + (source(p / channels) * channels + p % channels) * plane;
      float* out = images + p * plane;
      for (int64_t i = 0; i < plane; ++i) out[i] = values[in[i]];
    }
  });
  ++state_.batch;
  return true;
}

}  // namespace scry::data
