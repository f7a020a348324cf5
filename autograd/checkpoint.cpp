#include <scry/autograd/checkpoint.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/pack.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/random.hpp>

namespace scry::autograd {
namespace {

constinit thread_local bool again = false;

// This thread's default generator as it was then, and in the end as it is now.
class Rewound {
 public:
  explicit Rewound(const Generator& then) : before_(std::exchange(default_generator(), then)) {}
  ~Rewound() { default_generator() = before_; }
  Rewound(const Rewound&) = delete;
  Rewound& operator=(const Rewound&) = delete;

 private:
  Generator before_;
};

// Its rule computes the function again on the tape, and the run goes on through what that recorded.
class CheckpointNode final : public Node {
 public:
  CheckpointNode(const Tensor& y, std::function<Tensor()> function, std::span<const Tensor> inputs, const Generator& generator)
      : Node("checkpoint", y), function_(std::move(function)), generator_(generator) {
    for (const Tensor& x : inputs) refs_.push_back(x.defined() ? Ref<Node>(node_of(x)) : nullptr);
    set_inputs(refs_.data(), refs_.size());
    reaches_unseen_leaves = true;
  }
  void run_rule(const Tensor& g, Gradients& gradients) override {
    const Tensor y = compute();
    require(y.shape() == shape && y.dtype() == dtype, "checkpoint: computed again, the result has shape ", y.shape(), " instead of ", shape,
            "; the function must do the same each time");
    gradients.go_on_from(y, g);
  }
  void free_saved() override { function_ = nullptr; }

 private:
  Tensor compute() const {
    const EnableGrad recorded;
    const Rewound generator(generator_);
    struct Flag {
      bool before = std::exchange(again, true);
      ~Flag() { again = before; }
    } flag;
    return function_();
  }

  std::function<Tensor()> function_;
  Generator generator_;
  std::vector<Ref<Node>> refs_;
};

}  // namespace

bool recomputing() { return again; }

Tensor checkpoint_one(std::function<Tensor()> function, std::span<const Tensor> inputs) {
  if (!grad_enabled()) return function();
  const Generator before = default_generator();
  Tensor y;
  {
    const NoGrad off;
    y = function();
  }
  require_floating("checkpoint", y);
  y = y.detach();  // it may be one that the function only looked at
  detail::attach(y, new CheckpointNode(y, std::move(function), inputs, before));
  return y;
}

std::vector<Tensor> checkpoint_many(const std::function<std::vector<Tensor>()>& function, std::span<const Tensor> inputs) {
  const auto shapes = std::make_shared<std::vector<Shape>>();
  const Tensor packed = checkpoint_one(
      [function, shapes] {
        const std::vector<Tensor> parts = function();
        *shapes = shapes_of(parts);
        return pack("checkpoint", parts);
      },
      inputs);
  return unpack(packed, *shapes);
}

}  // namespace scry::autograd
