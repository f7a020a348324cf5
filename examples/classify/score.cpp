#include "score.hpp"

#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/tape.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "stop.hpp"

namespace classify {

using scry::Tensor;

int64_t Score::all_correct() const { return std::accumulate(correct.begin(), correct.end(), int64_t{0}); }
int64_t Score::all() const { return std::accumulate(total.begin(), total.end(), int64_t{0}); }

double Score::uncertainty() const {
  const double p = accuracy();
  return std::sqrt(p * (1 - p) / static_cast<double>(all()));
}

int64_t count_correct(const Tensor& logits, const Tensor& labels) {
  const Tensor guesses = scry::argmax(logits, 1);
  const auto *guess = guesses.data<int64_t>(), *label = labels.data<int64_t>();
  int64_t count = 0;
  for (int64_t i = 0; i < labels.numel(); ++i) count += guess[i] == label[i];
  return count;
}

Score evaluate(const Model& model, scry::data::Loader& loader) {
  const scry::NoGrad no_grad;
  const bool was_training = model.network.training();
  model.network.eval();
  const size_t classes = loader.dataset().classes.size();
  Score score{std::vector<int64_t>(classes), std::vector<int64_t>(classes)};
  for (const auto& [images, labels] : loader) {
    if (stop_signal()) break;
    const Tensor guesses = scry::argmax(model.forward(images), 1);
    for (int64_t i = 0; i < labels.numel(); ++i) {
      const auto label = static_cast<size_t>(labels.data<int64_t>()[i]);
      ++score.total[label];
      score.correct[label] += guesses.data<int64_t>()[i] == labels.data<int64_t>()[i];
    }
  }
  model.network.train(was_training);
  return score;
}

void print_score(const Score& score, const std::vector<std::string>& classes) {
  size_t width = 5;
  for (const std::string& name : classes) width = std::max(width, name.size());
  const int column = static_cast<int>(std::min<size_t>(width, 40)) + 2;
  std::printf("\n%-*s%8s%11s\n", column, "class", "images", "correct");
  for (size_t i = 0; i < score.total.size(); ++i) {
    std::printf("%-*s%8lld", column, classes[i].c_str(), static_cast<long long>(score.total[i]));
    if (score.total[i] > 0)
      std::printf("%9.2f %%\n", 100 * static_cast<double>(score.correct[i]) / static_cast<double>(score.total[i]));
    else
      std::printf("%11s\n", "-");
  }
  std::printf("\ntest accuracy %.2f %% ± %.2f %% (%lld of %lld; ± is one binomial standard deviation)\n", 100 * score.accuracy(),
              100 * score.uncertainty(), static_cast<long long>(score.all_correct()), static_cast<long long>(score.all()));
}

}  // namespace classify
