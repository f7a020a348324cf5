#include <scry/autograd/graphviz.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/core/creation.hpp>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

TEST(Graphviz, DrawsEachNodeOnceWithItsArrows) {
  const Tensor x = ones({2, 3}).requires_grad_(), w = ones({3}).requires_grad_();
  const Tensor h = x * w;
  const NamedTensor names[] = {{"fc.weight", w}};
  EXPECT_EQ(graphviz(sum(h * h), names), R"(digraph tape {
  node [shape=box, style=rounded, fontname="sans-serif"];
  n0 [label="sum\nf32 []"];
  n1 -> n0;
  n1 [label="mul\nf32 [2, 3]"];
  n2 -> n1;
  n2 -> n1;
  n2 [label="mul\nf32 [2, 3]"];
  n3 -> n2;
  n4 -> n2;
  n4 [label="fc.weight\nf32 [3]", style=filled];
  n3 [label="leaf\nf32 [2, 3]", style=filled];
}
)");
  EXPECT_FAILS(graphviz(x.detach()), "graphviz", "not on the tape");
}

TEST(Graphviz, DoesNotRecurse) {
  const Tensor x = ones({1}).requires_grad_();
  Tensor h = x;
  for (int i = 0; i < 100'000; ++i) h = h + 1;
  EXPECT_GT(graphviz(h).size(), 1'000'000u);
}

}  // namespace
}  // namespace scry
