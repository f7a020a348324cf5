#include "fixture.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace scry::optim {
namespace {

using testing::ElementsAre;

// Batches that are numbers: the loss is (x - b)²/2, so an epoch is a fixed course.
const std::vector<double> batches{1, 2, 3};

struct Task {
  TestModel model = scalar_model(0);
  Optimizer optimizer;
  explicit Task(const char* expression = "lookahead(sgd(lr=0.1), k=2)") : optimizer(make_optimizer(expression, Registry{model})) {}
  Tensor loss(double b) const { return sum((model["x"] - b) * (model["x"] - b)) * 0.5; }
};

struct TemporaryFile {
  std::string path = (std::filesystem::temp_directory_path() / ("scry_trainer_" + std::to_string(getpid()))).string();
  ~TemporaryFile() { std::filesystem::remove(path); }
};

TEST(Trainer, DoesWhatALoopByHandDoes) {
  Task by_hand, trained;
  std::vector<double> losses;
  for (int epoch = 0; epoch < 4; ++epoch) {
    double loss_sum = 0;
    for (const double b : batches) {
      by_hand.optimizer.zero_grad();
      const Tensor loss = by_hand.loss(b);
      loss.backward();
      by_hand.optimizer.step();
      loss_sum += loss.item();
    }
    losses.push_back(loss_sum / 3);
  }
  struct Watch : Callback {
    std::vector<double> losses, slow;
    int batches = 0;
    void batch_done(Training&) override { ++batches; }
    void epoch_done(Training& training) override {
      losses.push_back(training.metrics.at("loss"));
      slow.push_back(training.metrics.at("x"));
    }
  } watch;
  Trainer trainer{trained.optimizer, 4};
  trainer.fit(batches, [&](double b) { return trained.loss(b); },
              {.evaluate =
                   [&] {
                     return Metrics{{"x", trained.model["x"].item()}};
                   },
               .callbacks = {&watch}});
  EXPECT_EQ(weights_of(trained.model), weights_of(by_hand.model));
  EXPECT_EQ(watch.losses, losses);
  EXPECT_EQ(watch.batches, 12);
  const auto scope = trained.optimizer.evaluation();
  EXPECT_EQ(watch.slow.back(), trained.model["x"].item()) << "evaluated on the slow weights";
}

TEST(Trainer, StopsEarlyAndGoesOn) {
  Task task;
  EarlyStopping stopping{1, "quality", MetricMode::max};
  std::vector<double> quality{1, 3, 2, 3, 5, 4, 4, 4};
  Trainer trainer{task.optimizer, 8};
  const auto fit = [&] {
    trainer.fit(batches, [&](double b) { return task.loss(b); },
                {.evaluate =
                     [&] {
                       return Metrics{{"quality", quality[static_cast<size_t>(trainer.training().epoch)]}};
                     },
                 .callbacks = {&stopping}});
  };
  fit();
  EXPECT_EQ(trainer.training().epoch, 4) << "two epochs without improvement are more than one";
  fit();
  EXPECT_EQ(trainer.training().epoch, 7);
}

TEST(Trainer, StopsInAnEpochAndResumesThere) {
  Task whole, parts;
  Trainer uninterrupted{whole.optimizer, 3};
  data::ImageDataset images{cast(arange(10), u8), zeros({10}, i64), {"a"}};
  images.images = reshape(images.images, {10, 1, 1, 1});
  const auto fit = [](Trainer& trainer, Task& task, data::Loader& loader, std::vector<Callback*> callbacks) {
    trainer.fit(loader, [&](const data::Batch& batch) { return task.loss(batch.images.to_vector<double>()[0]); },
                {.callbacks = std::move(callbacks)});
  };
  data::Loader first{images, {.batch = 2}}, second{images, {.batch = 2}}, third{images, {.batch = 2}};
  fit(uninterrupted, whole, first, {});

  struct StopAt : Callback {
    int left = 8;
    void batch_done(Training& training) override { training.stop = --left == 0; }
  } stop;
  Trainer stopped{parts.optimizer, 3};
  fit(stopped, parts, second, {&stop});
  EXPECT_EQ(stopped.training().epoch, 1);
  EXPECT_EQ(stopped.training().batch, 3);
  const Checkpoint saved = capture(parts.optimizer, {}, {{"loader", second}, {"trainer", stopped}});

  Task other;
  Trainer resumed{other.optimizer, 3};
  restore(other.optimizer, saved, "x", {{"loader", third}, {"trainer", resumed}});
  fit(resumed, other, third, {});
  EXPECT_EQ(weights_of(other.model), weights_of(whole.model));

  data::Loader small{images, {.batch = 5}};
  const auto before = weights_of(other.model);
  try {
    restore(other.optimizer, saved, "x", {{"trainer", resumed}, {"loader", small}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "x: loader: batch_size was 2 where the state was saved and is 5 here");
  }
  EXPECT_EQ(weights_of(other.model), before);
  EXPECT_EQ(resumed.training().epoch, 3);
}

TEST(Trainer, ReportsAndSchedules) {
  Task task;
  const TemporaryFile log;
  std::ostringstream printed;
  PrintProgress progress{printed};
  LogMetrics logged{log.path};
  Scheduler scheduler{task.optimizer, schedules::exponential(0.5)};
  ReduceOnPlateau plateau{task.optimizer, {.patience = 0, .option = "alpha"}};
  StepSchedule scheduled{scheduler, Every::epoch};
  StepPlateau dropped{plateau, "flat"};
  Trainer trainer{task.optimizer, 2};
  trainer.fit(batches, [&](double b) { return task.loss(b) * 0; },
              {.evaluate =
                   [&] {
                     return Metrics{{"flat", 1}, {"none", nan}};
                   },
               .callbacks = {&progress, &logged, &scheduled, &dropped}});
  EXPECT_EQ(printed.str(), "epoch 1 of 2: flat 1, loss 0, none nan\nepoch 2 of 2: flat 1, loss 0, none nan\n");
  std::ifstream file(log.path);
  const std::string lines{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(lines, "{\"epoch\":1,\"flat\":1.0,\"loss\":0.0,\"none\":null}\n{\"epoch\":2,\"flat\":1.0,\"loss\":0.0,\"none\":null}\n");
  EXPECT_DOUBLE_EQ(task.optimizer.lr(), 0.025);
  EXPECT_DOUBLE_EQ(task.optimizer.get("alpha"), 0.05);

  EarlyStopping missing{1, "accuracy"};
  Trainer another{task.optimizer, 1};
  try {
    another.fit(batches, [&](double b) { return task.loss(b); }, {.callbacks = {&missing}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "trainer: there is no metric 'accuracy'; there are: loss");
  }
}

TEST(Trainer, KeepsTheBestCheckpoint) {
  Task task;
  const TemporaryFile best;
  SaveCheckpoints saves{task.optimizer, {.best = best.path, .metric = "quality", .mode = MetricMode::max}};
  const std::vector<double> quality{1, 3, 2};
  Trainer trainer{task.optimizer, 3};
  std::vector<double> weights;
  trainer.fit(batches, [&](double b) { return task.loss(b); },
              {.evaluate =
                   [&] {
                     weights.push_back(task.model["x"].item());
                     return Metrics{{"quality", quality[static_cast<size_t>(trainer.training().epoch)]}};
                   },
               .callbacks = {&saves}});
  Task other;
  load_checkpoint(best.path, other.optimizer);
  const auto scope = other.optimizer.evaluation();
  EXPECT_EQ(other.model["x"].item(), weights[1]);
  EXPECT_EQ(other.optimizer.steps(), 6);
}

}  // namespace
}  // namespace scry::optim
