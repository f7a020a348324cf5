#include "autograd/random_steps.hpp"

#include <scry/autograd/autograd.hpp>
#include <scry/core/creation.hpp>

#include "support.hpp"

namespace scry::test {
namespace {

// What a step may take.
struct Hand {
  const std::vector<Tensor>& made;
  Generator draw;
  Tensor a;

  Hand(const std::vector<Tensor>& all, uint64_t choice) : made(all), draw(choice), a(below(2) ? all.back() : any()) {}
  int64_t below(int64_t n) { return draw.below(n); }
  const Tensor& any() { return made[static_cast<size_t>(below(static_cast<int64_t>(made.size())))]; }
  /// Another tensor that broadcasts with a, or a itself.
  Tensor other() {
    const Tensor& b = any();
    return message_of([&] { broadcast_shapes("", a.shape(), b.shape()); }) == "nothing was thrown" ? b : a;
  }
  /// a with an axis at least.
  const Tensor& lined() { return a = a.rank() ? a : unsqueeze(a, 0); }
  /// a with two axes at least.
  const Tensor& plane() { return a = lined().rank() > 1 ? a : unsqueeze(a, static_cast<int>(below(2))); }
  int axis() { return static_cast<int>(below(a.rank())); }
  int64_t position(int along) { return below(a.size(along)); }
  /// Positions along an axis, some of them more than once.
  Tensor positions(int along) { return randint(0, a.size(along), {1 + below(4)}, draw); }
};

using Step = Tensor (*)(Hand&);

const Step steps[] = {
    // Views.
    [](Hand& h) { return h.lined(), transpose(h.a, h.axis(), h.axis()); },
    [](Hand& h) { return reshape(h.a, {-1}); },
    [](Hand& h) { return h.lined(), slice(h.a, h.axis(), -1, to_end, -1); },
    [](Hand& h) { return h.lined(), slice(h.a, h.axis(), 0, to_end, 2); },
    [](Hand& h) { return h.a.rank() < 4 ? unsqueeze(h.a, static_cast<int>(h.below(h.a.rank() + 1))) : flatten(h.a); },
    [](Hand& h) {
      Shape wide = h.a.shape();
      if (wide.rank() < 4) wide.insert(0, 2);
      return expand(h.a, wide);
    },
    [](Hand& h) {
      const int along = (h.lined(), h.axis());
      return select(h.a, along, h.position(along));
    },
    [](Hand& h) {
      const int along = (h.lined(), h.axis());
      const int64_t from = h.position(along);
      return narrow(h.a, along, from, h.a.size(along) - from);
    },
    [](Hand& h) { return h.plane(), diagonal(h.a, h.a.size(1) > 1 ? h.below(2) : 0); },
    [](Hand& h) { return h.lined(), movedim(h.a, h.axis(), h.axis()); },
    [](Hand& h) {
      return h.lined(), h.a.at({ellipsis, h.position(h.a.rank() - 1)});
    },
    [](Hand& h) { return h.lined(), unbind(h.a, h.axis()).back(); },
    [](Hand& h) { return h.lined(), chunk(h.a, 2, h.axis()).front(); },
    // Arithmetic and functions.
    [](Hand& h) { return (h.a + h.other()) * 0.5; },
    [](Hand& h) { return (h.a - h.other()) * 0.7; },
    [](Hand& h) { return tanh(h.a * h.other()); },
    [](Hand& h) {
      const Tensor b = h.other();
      return h.a / (b * b + 1.5);
    },
    [](Hand& h) { return tanh(h.a); },
    [](Hand& h) { return sigmoid(h.a) - 0.5; },
    [](Hand& h) { return log(h.a * h.a + 1); },
    [](Hand& h) { return sqrt(h.a * h.a + 1) - 1.2; },
    [](Hand& h) { return exp(-h.a * h.a); },
    [](Hand& h) { return 1 / (2 + h.a * h.a); },
    [](Hand& h) { return sin(h.a) * cos(h.a * 0.5); },
    [](Hand& h) { return erf(h.a) + atan(h.a) * 0.3; },
    [](Hand& h) { return gelu(h.a) - silu(h.a) + softplus(h.a) * 0.3; },
    [](Hand& h) { return pow(h.a * h.a + 0.5, h.other() * 0.5); },
    [](Hand& h) { return atan2(h.a, 2 + square(h.other())); },
    [](Hand& h) { return asinh(h.a) * rsqrt(1 + h.a * h.a); },
    [](Hand& h) { return where(gt(h.a.detach(), 0), h.a, h.other() * 0.5); },
    [](Hand& h) { return masked_fill(h.a, lt(h.a.detach(), -0.5), 0.3); },
    // Reductions and scans.
    [](Hand& h) { return h.lined(), mean(h.a, h.axis(), h.below(2) == 1); },
    [](Hand& h) { return h.lined(), tanh(sum(h.a, h.axis(), h.below(2) == 1)); },
    [](Hand& h) { return h.lined(), tanh(prod(h.a, h.axis(), true)); },
    [](Hand& h) { return h.lined(), sqrt(var(h.a, h.axis(), {.correction = 0, .keepdim = true}) + 0.5); },
    [](Hand& h) { return h.lined(), logsumexp(h.a, h.axis()) * 0.4; },
    [](Hand& h) { return h.lined(), norm(h.a * h.a + 0.5, 2, h.axis()) * 0.3; },
    [](Hand& h) { return h.lined(), softmax(h.a, h.axis()); },
    [](Hand& h) { return h.lined(), log_softmax(h.a, h.axis()) * 0.5; },
    [](Hand& h) { return h.lined(), tanh(cumsum(h.a, h.axis())); },
    [](Hand& h) { return h.lined(), tanh(cumprod(h.a, h.axis())); },
    [](Hand& h) { return h.lined(), tanh(layer_norm(h.a + cumsum(ones_like(h.a), -1), {h.a.size(-1)}, {}, {}, 0.1)); },
    // Elements taken and put.
    [](Hand& h) {
      const int along = (h.lined(), h.axis());
      return index_select(h.a, h.positions(along), along);
    },
    [](Hand& h) {
      const int along = (h.lined(), h.axis());
      const Tensor index = h.positions(along), part = index_select(h.a, index, along);
      return tanh(index_add(h.a, index, part * part, along));
    },
    [](Hand& h) {
      const int along = (h.lined(), h.axis());
      return gather(h.a, argsort(h.a.detach(), along), along);
    },
    [](Hand& h) { return h.lined(), flip(h.a, {h.axis()}); },
    [](Hand& h) { return h.lined(), roll(h.a, {1}, {h.axis()}); },
    [](Hand& h) {
      return h.lined(), pad(h.a, {1, h.below(2)});
    },
    [](Hand& h) {
      const int along = (h.lined(), h.axis());
      return h.a.numel() > 40 ? neg(h.a) : cat({h.a, slice(h.a, along, 0, 1)}, along);
    },
    [](Hand& h) {
      return h.a.numel() > 40 || h.a.rank() > 3 ? h.a * 0.9 : stack({h.a, h.a * h.a * 0.5});
    },
    [](Hand& h) { return contiguous(h.a) + 0.1; },
    // Products.
    [](Hand& h) { return h.plane(), tanh(matmul(h.a, transpose(h.a, -1, -2))); },
    [](Hand& h) { return h.plane(), tril(h.a, h.below(2)) + triu(h.a, 1) * 0.5; },
    [](Hand& h) {
      const Tensor rows = h.lined(), m = reshape(rows, {rows.size(0), -1});
      return tanh(einsum("ij,kj->ik", {m, m * 0.5}));
    },
};

}  // namespace

const uint64_t step_kinds = std::size(steps), step_views = 13;

Tensor random_step(const std::vector<Tensor>& made, uint64_t choice) {
  Hand hand(made, choice);
  return steps[choice % step_kinds](hand);
}

}  // namespace scry::test
