// A step in its steady state allocates nothing, from the system or from the heap.

#include "fixture.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

// Sanitized builds take malloc in the one for no match of free in the other.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {
std::atomic<int64_t> heap_calls{0};
}

void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  ++heap_calls;
  return std::malloc(bytes ? bytes : 1);
}
void* operator new(size_t bytes) {
  if (void* memory = operator new(bytes, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace scry::optim {
namespace {

TEST(Allocation, AStepAllocatesNothing) {
  const TestModel model = random_model(std::vector<Shape>(50, {1000}), 1);
  const Registry registry{model};
  for (const char* expression :
       {"sgd", "sgd(momentum=0.9)", "adam", "lookahead(adam, k=2)", "lookahead(lookahead(adam, k=3, inner_state=pull_back), k=2)",
        "lookahead(adam, k=2, inner_state=reset)", "lookahead(adam, k=2, adaptive=true)",
        "lookahead(sgd, k=2, outer_momentum=0.5, rollback=true, batch_norm=interpolate)", "nadam", "lamb", "muon", "ema(swa(adam))",
        "accumulate(clip_norm(clip_value(adaptive_clip(loss_scale(lamb)))), n=3)"}) {
    Optimizer optimizer = make_optimizer(expression, registry);
    const auto round = [&] {
      optimizer.step();
      const auto scope = optimizer.evaluation();
    };
    give_gradients(model, 0);
    for (int i = 0; i < 3; ++i) round();
    const int64_t heap = heap_calls, system = memory::statistics().system_calls;
    for (int i = 0; i < 12; ++i) round();
    EXPECT_EQ(heap_calls, heap) << expression;
    EXPECT_EQ(memory::statistics().system_calls, system) << expression;
    registry.zero_grad();
  }
}

}  // namespace
}  // namespace scry::optim
