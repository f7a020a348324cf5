// Graphs of a million nodes, built, run and freed in a thread whose stack holds 256 KiB: no step may recurse.

#include <pthread.h>

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>

#include "support.hpp"

namespace scry {
namespace {

constexpr int many = 1'000'000;

// Runs the body in a thread with a small stack. The sanitizers' frames are larger.
void on_a_small_stack(FunctionRef<void()> body) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr size_t bytes = 1024 * 1024;
#else
  constexpr size_t bytes = 256 * 1024;
#endif
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
  pthread_t thread;
  const auto run = [](void* function) -> void* {
    (*static_cast<FunctionRef<void()>*>(function))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  memory::release_cached();
}

TEST(DeepGraph, Runs) {
  on_a_small_stack([] {
    const Tensor x = scalar(1, f64).requires_grad_();
    Tensor h = x;
    for (int i = 0; i < many; ++i) h = h + 1;
    EXPECT_EQ(h.item(), many + 1);
    h.backward();
    EXPECT_EQ(x.grad().item(), 1);
  });
}

TEST(DeepGraph, IsFreedWithoutHavingRun) {
  on_a_small_stack([] {
    const Tensor x = scalar(1, f64).requires_grad_();
    Tensor h = x;
    for (int i = 0; i < many; ++i) h = -h;
    h = {};
    EXPECT_FALSE(x.grad().defined());
  });
}

TEST(DeepGraph, IsGoneThroughByGrad) {
  on_a_small_stack([] {
    const Tensor x = scalar(1, f64).requires_grad_(), aside = scalar(1, f64).requires_grad_();
    Tensor h = x;
    for (int i = 0; i < many; ++i) h = h + aside;
    const std::vector<Tensor> g = grad(h, {x, aside});
    EXPECT_EQ(g[0].item(), 1);
    EXPECT_EQ(g[1].item(), many);
  });
}

// Here the saved tensors own the graph as well.
TEST(DeepGraph, ThatSavesTensorsRunsAndIsFreed) {
  on_a_small_stack([] {
    const Tensor x = scalar(1, f64).requires_grad_(), w = scalar(1, f64).requires_grad_();
    Tensor h = x;
    for (int i = 0; i < many / 4; ++i) h = tanh(h * w) * 0 + h * w;
    Tensor kept = h * h;
    h.backward({}, true);
    EXPECT_EQ(x.grad().item(), 1);
    EXPECT_EQ(w.grad().item(), many / 4);
    h = {};
    kept = {};
  });
}

TEST(DeepGraph, OfGradientsIsFreed) {
  on_a_small_stack([] {
    const Tensor x = scalar(1, f64).requires_grad_();
    Tensor h = x;
    for (int i = 0; i < many / 10; ++i) h = h * x;
    const Tensor g = grad(h, x, {.create_graph = true});
    EXPECT_EQ(g.item(), many / 10 + 1);
    EXPECT_EQ(grad(g, x).item(), double{many / 10 + 1} * (many / 10));
  });
}

TEST(WideGraph, OfManyOutputs) {
  on_a_small_stack([] {
    const Tensor x = scalar(2, f64).requires_grad_();
    std::vector<Tensor> outputs;
    for (int i = 0; i < many; ++i) outputs.push_back(x * 3);
    backward(outputs, {});
    EXPECT_EQ(x.grad().item(), 3.0 * many);
  });
}

TEST(WideGraph, IsGoneThroughByGrad) {
  on_a_small_stack([] {
    const Tensor x = scalar(2, f64).requires_grad_();
    std::vector<Tensor> outputs;
    for (int i = 0; i < many; ++i) outputs.push_back(x * 3);
    EXPECT_EQ(grad(outputs, std::span(&x, 1)).front().item(), 3.0 * many);
  });
}

TEST(WideGraph, OfManyLeaves) {
  static constexpr int some = many / 10;
  on_a_small_stack([] {
    std::vector<Tensor> level, leaves;
    for (int i = 0; i < some; ++i) leaves.push_back(scalar(1, f64).requires_grad_());
    for (const Tensor& x : leaves) level.push_back(x);
    while (level.size() > 1) {  // a tree of sums
      std::vector<Tensor> next;
      for (size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(level[i] + level[i + 1]);
      if (level.size() % 2) next.push_back(level.back());
      level = std::move(next);
    }
    EXPECT_EQ(level.front().item(), some);
    level.front().backward();
    for (const Tensor& x : leaves) ASSERT_EQ(x.grad().item(), 1);
  });
}

// One node with very many inputs.
TEST(WideGraph, OfOneNode) {
  static constexpr int some = many / 10;
  on_a_small_stack([] {
    std::vector<Tensor> leaves;
    for (int i = 0; i < some; ++i) leaves.push_back(scalar(i, f64).requires_grad_());
    const auto rule = [](const Tensor& g, autograd::Gradients& gradients, int count) {
      for (int i = 0; i < count; ++i) gradients.add(static_cast<size_t>(i), g);
    };
    double total = 0;
    for (const Tensor& x : leaves) total += x.item();
    autograd::record("total").many(scalar(total, f64), leaves, rule, some).backward(scalar(2, f64));
    for (const Tensor& x : leaves) ASSERT_EQ(x.grad().item(), 2);
  });
}

}  // namespace
}  // namespace scry
