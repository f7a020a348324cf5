#pragma once

#include <scry/core/data/dataset.hpp>

#include <iterator>

namespace scry::data {

struct LoaderOptions {
  int64_t batch = 64;
  bool shuffle = true;
  uint64_t seed = 0;
  bool drop_last = false;                   ///< leave out a last batch that is smaller than the others
  std::vector<double> mean = {}, std = {};  ///< one for each channel, of values from 0 to 1; empty: 0 and 1
};

struct Batch {
  Tensor images;  ///< f32 [B, C, H, W]: (x / 255 - mean) / std
  Tensor labels;  ///< i64 [B]
};

/// Where a loader stands: `batch` batches of epoch `epoch` were handed out.
struct LoaderState {
  int64_t epoch = 0;
  int64_t batch = 0;
  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

/// Hands out a data set batch by batch; every range-for is one epoch:
///
///     for (auto [images, labels] : loader) …
///
/// The order of an epoch is a pure function of (seed, epoch), whatever the number of threads, so a loader that is set to the
/// state of another goes on with the same bits, in the middle of an epoch too. One loop at a time.
class Loader {
 public:
  explicit Loader(ImageDataset dataset, LoaderOptions options = {});

  const ImageDataset& dataset() const { return dataset_; }
  const LoaderOptions& options() const { return options_; }
  /// The number of images.
  int64_t size() const { return dataset_.size(); }
  /// The number of batches in an epoch.
  int64_t batches() const;

  /// Read inside a loop, the state counts the batch at hand as done; after the last one the epoch goes up.
  LoaderState state() const { return state_; }
  /// The next loop goes on from `state`: it hands out the rest of that epoch.
  void set_state(const LoaderState& state);
  /// The state for a checkpoint, with what decides the order of the images; a loader that would hand out others refuses it.
  std::vector<NamedTensor> state_dict() const;
  void load_state_dict(const std::vector<NamedTensor>& state);

  class Iterator {
   public:
    explicit Iterator(Loader& loader) : loader_(&loader) { ++*this; }
    const Batch& operator*() const { return batch_; }
    Iterator& operator++() {
      more_ = loader_->next(batch_);
      return *this;
    }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return !it.more_; }

   private:
    Loader* loader_;
    Batch batch_;
    bool more_ = false;
  };
  /// Goes on where set_state() said, else begins an epoch: a loop that was left early doesn't shorten the next one.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  bool next(Batch& batch);
  void shuffle();
  void make_table();

  ImageDataset dataset_;
  LoaderOptions options_;
  std::vector<float> table_;  // [C, 256]: what each byte becomes
  Tensor order_;              // of the epoch below
  int64_t order_epoch_ = -1;
  LoaderState state_;
  bool resumes_ = false;
};

}  // namespace scry::data
