#include "bench.hpp"

#include <scry/scry.hpp>

namespace bench {
namespace {

using namespace scry;

constexpr double sgd_bytes = 12, momentum_bytes = 20, adam_bytes = 28;  // of f32 arrays that an update of one weight reads and writes

// Of the last convolution or product of a model whose inputs need no gradient.
int64_t multiply_adds_of_first(const nn::Summary& summary) {
  const auto& all = summary.modules;
  for (size_t i = 1; i < all.size(); ++i)
    if (all[i].multiply_adds > 0 && (i + 1 == all.size() || all[i + 1].depth <= all[i].depth)) return all[i].multiply_adds;
  return 0;
}

// A forward product and two gradients for each layer; the first has none of its input, unless that is an embedding. One sample tells what all take.
template <class Model>
Work training_work(const Model& model, const Tensor& x, double update_bytes) {
  const nn::Summary summary = nn::summary(model, x.at({Slice{0, 1}}));
  const auto samples = static_cast<double>(x.size(0));
  const auto all = static_cast<double>(summary.modules[0].multiply_adds);
  const double skipped = is_floating(x.dtype()) ? static_cast<double>(multiply_adds_of_first(summary)) : 0;
  return {samples * (6 * all - 2 * skipped), update_bytes * static_cast<double>(model.parameter_count())};
}

template <class Model>
Result train(const Run& run, const Model& model, optim::Optimizer optimizer, double update_bytes, const Tensor& x, const Tensor& labels) {
  return run.measure(static_cast<double>(x.size(0)), training_work(model, x, update_bytes), [&] {
    optimizer.registry().zero_grad();
    cross_entropy(model(x), labels).backward();
    optimizer.step();
  });
}

Tensor labels(int64_t count, int64_t classes = 10) { return randint(0, classes, {count}); }

struct CharLstm : nn::Module<CharLstm> {
  nn::Embedding embed = add("embed", nn::Embedding{64, 128});
  nn::LSTM lstm = add("lstm", nn::LSTM{128, 256, {.batch_first = true}});
  nn::Linear head = add("head", nn::Linear{256, 64});

  Tensor forward(const Tensor& x) const { return flatten(head(lstm(embed(x)).first), 0, 1); }
};

struct CharGpt : nn::Module<CharGpt> {  // 4 layers, 4 heads, width 128, context 64
  nn::Embedding token = add("token", nn::Embedding{64, 128});
  nn::Embedding position = add("position", nn::Embedding{64, 128});
  nn::TransformerEncoder blocks = add("blocks", nn::TransformerEncoder{4, 128, 4, {.dim_feedforward = 512, .dropout = 0, .batch_first = true}});
  nn::Linear head = add("head", nn::Linear{128, 64});

  Tensor forward(const Tensor& x) const {
    const Tensor h = token(x) + position(arange(x.size(1)));
    return flatten(head(blocks(h, {.is_causal = true})), 0, 1);
  }
};

// 100 tensors of 100,000 weights with gradients, as a model that only names them.
struct TenMillion {
  std::vector<NamedTensor> parameters;
  TenMillion() {
    for (int i = 0; i < 100; ++i) parameters.push_back({"p" + std::to_string(i), randn({100000}).requires_grad_()});
  }
  std::vector<NamedTensor> named_parameters() const { return parameters; }
  std::vector<NamedTensor> named_buffers() const { return {}; }
  void make_gradients() const {
    for (const NamedTensor& p : parameters) p.tensor.backward(randn({100000}));
  }
};

Result step(const Run& run, const TenMillion& model, optim::Optimizer optimizer, int steps, double bytes) {
  model.make_gradients();
  return run.measure(steps * 1e7, {0, bytes * 1e7}, [&] {
    for (int i = 0; i < steps; ++i) optimizer.step();
  });
}

}  // namespace

const std::map<std::string, Workload>& workloads() {
  static const std::map<std::string, Workload> all = {
      {"mlp_tiny_b1",
       [](const Run& run) {
         const auto model = nn::mlp({2, 16, 16, 10});
         return train(run, model, optim::SGD{optim::Registry{model}, {.lr = 0.01}}, sgd_bytes, randn({1, 2}), labels(1));
       }},
      {"mlp_tiny_adam_b32",
       [](const Run& run) {
         const auto model = nn::mlp({2, 64, 64, 10});
         return train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, adam_bytes, randn({32, 2}), labels(32));
       }},
      {"mlp_sgd_b64",
       [](const Run& run) {
         const auto model = nn::mlp({784, 128, 10});
         return train(run, model, optim::SGD{optim::Registry{model}, {.lr = 0.01}}, sgd_bytes, randn({64, 784}), labels(64));
       }},
      {"mlp_big_adam_b256",
       [](const Run& run) {
         const auto model = nn::mlp({784, 1024, 1024, 10});
         return train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, adam_bytes, randn({256, 784}), labels(256));
       }},
      {"lenet_adam_b64",
       [](const Run& run) {
         const nn::LeNet model;
         return train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, adam_bytes, randn({64, 1, 28, 28}), labels(64));
       }},
      {"resnet20_sgd_b128",
       [](const Run& run) {
         const auto model = nn::resnet20();
         const optim::SGD optimizer{optim::Registry{model}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-4}};
         return train(run, model, optimizer, momentum_bytes, randn({128, 3, 32, 32}), labels(128));
       }},
      {"resnet20_infer_b128",
       [](const Run& run) {
         const auto model = nn::resnet20();
         const Tensor x = randn({128, 3, 32, 32});
         const double flops = 128 * 2.0 * static_cast<double>(nn::summary(model, x.at({Slice{0, 1}})).modules[0].multiply_adds);
         const auto network = nn::for_inference(model);
         return run.measure(128, {flops, 0}, [&] { network(x); });
       }},
      {"lstm_adam_b32_t64",
       [](const Run& run) {
         const CharLstm model;
         return train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, adam_bytes, randint(0, 64, {32, 64}), labels(32 * 64, 64));
       }},
      {"gpt_adam_b16_t64",
       [](const Run& run) {
         const CharGpt model;
         return train(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, adam_bytes, randint(0, 64, {16, 64}), labels(16 * 64, 64));
       }},
      {"sgd_momentum_step_10m",
       [](const Run& run) {
         const TenMillion model;
         return step(run, model, optim::SGD{optim::Registry{model}, {.lr = 1e-3, .momentum = 0.9}}, 1, momentum_bytes);
       }},
      {"adam_step_10m",
       [](const Run& run) {
         const TenMillion model;
         return step(run, model, optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, 1, adam_bytes);
       }},
      {"lookahead_adam_5_steps_10m",
       [](const Run& run) {  // one whole k = 5 cycle per timed step; the slow weights are read and written once in it
         const TenMillion model;
         const optim::Lookahead optimizer{optim::Adam{optim::Registry{model}, {.lr = 1e-3}}, {.k = 5, .alpha = 0.5}};
         return step(run, model, optimizer, 5, 5 * adam_bytes + 8);
       }},
  };
  return all;
}

}  // namespace bench
