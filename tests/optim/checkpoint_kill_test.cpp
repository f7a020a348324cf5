// Training with everything, killed again and again, also while it saves: the way doesn't change.

#include "fixture.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace scry::optim {
namespace {

constexpr int64_t classes = 3, features = 6, hidden = 8, epochs = 60;
constexpr int64_t lives = 50, batches_a_life = 7;                // fewer in all than there are, so the last life has something left
constexpr const char* worker_variable = "SCRY_KILLED_TRAINING";  // in the process that trains: where its checkpoint lies
constexpr const char* last_variable = "SCRY_LAST_TRAINING";      // …: set where nobody will kill it

data::ImageDataset dataset() {
  Generator random(5);
  std::vector<std::string> names{"a", "b", "c"};
  return {cast(randint(0, 256, {22, 1, 2, 3}, random), u8), randint(0, classes, {22}, random), std::move(names)};
}

// A network with batch normalisation and dropout, a shuffling loader, Lookahead around a clipped Adam, and schedules.
class Everything {
 public:
  Everything() : loader_(dataset(), {.batch = 4, .seed = 3}), optimizer_(make()), scheduler_(optimizer_, {courses()}), trainer_(optimizer_, epochs) {}

  std::vector<CheckpointPart> parts() { return {{"loader", loader_}, {"schedule", scheduler_}, {"trainer", trainer_}, {"augmentation", noise_}}; }
  Optimizer& optimizer() { return optimizer_; }

  void train(std::vector<Callback*> callbacks) {
    StepSchedule stepped(scheduler_);
    callbacks.insert(callbacks.begin(), &stepped);
    trainer_.fit(loader_, [this](const data::Batch& batch) { return loss(batch); }, {.callbacks = callbacks});
  }

 private:
  Optimizer make() {
    manual_seed(11);
    Generator random(1);
    model_.parameters = {{"w1", randn({features, hidden}, f32, random)}, {"gain", ones({hidden})}, {"w2", randn({hidden, classes}, f32, random)}};
    for (const NamedTensor& each : model_.parameters) each.tensor.requires_grad_();
    model_.buffers = {{"mean", zeros({hidden})}, {"var", ones({hidden})}};
    return make_optimizer("lookahead(clip_norm(adam(lr=0.01), max_norm=0.5), k=3, inner_state=pull_back)", Registry{model_});
  }
  static std::vector<Course> courses() {
    const schedules::OneCycleOptions cycle{.max_lr = 0.02, .total_steps = epochs * 6};
    return {{.schedule = schedules::one_cycle(cycle)}, {.option = "beta1", .schedule = schedules::one_cycle_momentum(cycle)}};
  }
  Tensor loss(const data::Batch& batch) {
    const Tensor x = reshape(batch.images, {-1, features}) + randn({features}, f32, noise_) * 0.1;
    const Tensor h = batch_norm(matmul(x, model_["w1"]), {model_.buffers[0].tensor, model_.buffers[1].tensor}, model_["gain"], zeros({hidden}));
    return cross_entropy(matmul(dropout(relu(h), 0.3), model_["w2"]), batch.labels);
  }

  TestModel model_;
  Generator noise_{77};
  data::Loader loader_;
  Optimizer optimizer_;
  Scheduler scheduler_;
  Trainer trainer_;
};

// Trains on from the checkpoint, saves after every batch, and says on standard output that it did; then waits to be killed, if it will be.
int train_until_killed(const std::string& path) {
  Everything run;
  if (std::filesystem::exists(path)) load_checkpoint(path, run.optimizer(), run.parts());
  struct Report : Callback {
    void batch_done(Training&) override {
      std::ignore = ::write(STDOUT_FILENO, ".", 1);
      while (++batches >= batches_a_life && !std::getenv(last_variable)) ::pause();
    }
    int64_t batches = 0;
  } report;
  SaveCheckpoints saves(run.optimizer(), {.last = path, .every = 1, .parts = run.parts()});
  run.train({&saves, &report});
  return 0;
}

// This test program once more, as the process that trains.
struct Process {
  Process(const std::string& path, bool last) {
    int ends[2];
    require(::pipe(ends) == 0, "no pipe");
    pid = ::fork();
    if (pid == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::setenv(worker_variable, path.c_str(), 1);
      if (last) ::setenv(last_variable, "", 1);
      ::execl("/proc/self/exe", "optim_tests", "--gtest_filter=Checkpoint.SurvivesBeingKilled", "--gtest_brief=1", nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    steps = ends[0];
  }
  ~Process() { ::close(steps); }
  // False where it has ended before so many batches.
  bool wait_for(int64_t count) const {
    for (char step; count > 0; --count)
      if (::read(steps, &step, 1) != 1) return false;
    return true;
  }
  int end() const {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }

  pid_t pid;
  int steps;
};

TEST(Checkpoint, SurvivesBeingKilled) {
  if (const char* path = std::getenv(worker_variable)) std::_Exit(train_until_killed(path));
  const std::string folder = (std::filesystem::temp_directory_path() / ("scry_killed_" + std::to_string(getpid()))).string();
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/last.safetensors", half_written = folder + "/.last.safetensors.tmp";
  Generator random(9);
  int during_a_save = 0;
  for (int kill = 0; kill < lives; ++kill) {
    const Process process(path, false);
    ASSERT_TRUE(process.wait_for(random.below(batches_a_life))) << "it ended by itself before kill " << kill;
    if (kill % 2 == 0) {
      ::usleep(static_cast<useconds_t>(random.below(3000)));
    } else {
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
      while (!std::filesystem::exists(half_written) && std::chrono::steady_clock::now() < end) continue;
    }
    ::kill(process.pid, SIGKILL);
    ASSERT_TRUE(WIFSIGNALED(process.end()));
    during_a_save += std::filesystem::exists(half_written) ? 1 : 0;
  }
  EXPECT_GT(during_a_save, 0);
  EXPECT_EQ(Process(path, true).end(), 0);

  Everything whole, resumed;
  whole.train({});
  load_checkpoint(path, resumed.optimizer(), resumed.parts());
  const Checkpoint a = capture(whole.optimizer(), {}, whole.parts()), b = capture(resumed.optimizer(), {}, resumed.parts());
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i)
    EXPECT_EQ(a.tensors[i].tensor.to_vector<double>(), b.tensors[i].tensor.to_vector<double>()) << a.tensors[i].name;
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace scry::optim
