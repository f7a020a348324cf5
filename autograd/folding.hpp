#pragma once

// Evaluation with batch normalisations folded into the convolutions before them, and weights brought into the kernels' form once.

#include <scry/core/function_ref.hpp>
#include <scry/core/kernels/conv2d_packed.hpp>
#include <scry/core/tensor.hpp>
#include <memory>
#include <mutex>
#include <vector>

namespace scry::autograd {

class Node;

/// What one run of a network taught about its convolutions. A normalisation is folded if its input is the result of a convolution that nothing else
/// reads, by the tape of that run, and if the run used both once. Changed weights and statistics are noticed by their versions.
class Folding {
 public:
  /// Learns from `network`, which records what it computes and returns all its results.
  explicit Folding(FunctionRef<std::vector<Tensor>()> network);
  ~Folding();

  /// The largest result of a convolution, in elements.
  int64_t largest() const { return largest_; }

  /// While one lives, this thread's ops make use of a folding.
  class Use {
   public:
    explicit Use(Folding& folding);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    /// An Error if a convolution ran whose normalisation hasn't.
    void finish() const;

   private:
    friend class Folding;
    Folding& folding_;
    std::vector<const TensorNode*> unread_;  // by step: the result of a convolution that awaits its normalisation
    Use* before_;
  };

  // What ops say and ask; it comes to nothing in most threads.

  struct Convolution {
    Tensor weight, bias;
  };
  struct Normalization {
    Tensor mean, variance, weight, bias;
    double eps;
  };
  struct Weights {
    Tensor weight, bias;
    kernels::PackedWeights* packed;
  };
  /// The weights to use in the place of a convolution's own.
  static Weights weights_for(const Tensor& weight, const Tensor& bias);
  /// A convolution has computed y.
  static void note(const Convolution& convolution, const Tensor& y);
  /// x is about to be normalised by running statistics: whether the convolution that computed it has done that.
  static bool includes(const Normalization& normalization, const Tensor& x);

 private:
  struct Step;
  struct Trace;
  struct Current;
  static Current& current();

  std::vector<std::unique_ptr<Step>> steps_;
  std::mutex mutex_;
  int64_t largest_ = 0;
};

}  // namespace scry::autograd
