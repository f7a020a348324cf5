// A hundred steps of every optimizer and option: against the papers' equations, computed by golden.py, and against PyTorch's optimizers.

#include "fixture.hpp"
#include "python.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace scry::optim {
namespace {

struct Golden {
  const char* expression;
  std::vector<double> weights;  // after some of the steps
};

const std::vector<int> shown{1, 2, 10, 100};

const std::vector<Golden>& golden() {
  static const std::vector<Golden> all{
#include "golden.inc"
  };
  return all;
}

// golden.py's model and gradients: the weights after every step.
std::vector<std::vector<double>> hundred_steps(const std::string& expression, DType dtype) {
  const std::vector<double> curvature{1, 0.1, 5, 0.01, 0.5, 2, 0.3, 1}, offset{0.3, -0.1, 0.2, 0.05, 0.4, -0.25, 0.1, -0.2};
  const std::vector<double> start{1, -2, 0.5, 3, -0.7, 0.2, 0.4, -1.5};
  const auto tensors = [dtype](const std::vector<double>& values) {
    return std::vector<Tensor>{cast(Tensor::of<double>({values.begin(), values.begin() + 6}, {2, 3}), dtype),
                               cast(Tensor::of<double>({values.begin() + 6, values.end()}, {2}), dtype)};
  };
  const auto rows = tensors(start);
  const TestModel model{{{"matrix", rows[0].requires_grad_()}, {"vector", rows[1].requires_grad_()}}, {}};
  Optimizer optimizer = make_optimizer(expression, Registry{model});
  std::vector<std::vector<double>> path;
  std::vector<double> w = start;
  const NoGrad no_grad;
  for (int t = 0; t < 100; ++t) {
    for (size_t i = 0; i < w.size(); ++i) w[i] = curvature[i] * w[i] + (t % 2 == 0 ? 1 : -1) * offset[i] * (1 + t % 7);
    const auto gradients = tensors(w);
    optimizer.zero_grad();
    for (size_t i = 0; i < 2; ++i) give_gradient(model.parameters[i].tensor, gradients[i]);
    optimizer.step();
    w = rows[0].to_vector<double>();
    for (const double x : rows[1].to_vector<double>()) w.push_back(x);
    path.push_back(w);
  }
  return path;
}

void expect_near(const std::vector<double>& w, const double* expected, double tolerance, int step) {
  for (size_t i = 0; i < w.size(); ++i)
    EXPECT_NEAR(w[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << "weight " << i << " after step " << step;
}

class GoldenPath : public ::testing::TestWithParam<size_t> {
 protected:
  void expect_golden(DType dtype, double tolerance) const {
    const auto& [expression, weights] = golden()[GetParam()];
    SCOPED_TRACE(expression);
    const auto path = hundred_steps(expression, dtype);
    for (size_t i = 0; i < shown.size(); ++i) expect_near(path[static_cast<size_t>(shown[i]) - 1], &weights[i * 8], tolerance, shown[i]);
  }
};

TEST_P(GoldenPath, MatchesInDouble) { expect_golden(f64, 1e-12); }
TEST_P(GoldenPath, MatchesInSinglePrecision) { expect_golden(f32, 2e-5); }

INSTANTIATE_TEST_SUITE_P(Papers, GoldenPath, ::testing::Range(size_t{0}, golden().size()));

constexpr const char* script = R"py(
import sys, torch
from torch import optim

torch.Tensor.bfloat16 = torch.Tensor.clone  # Muon in the parameters' type
classes = dict(sgd=optim.SGD, adam=optim.Adam, adamw=optim.AdamW, amsgrad=optim.Adam, nadam=optim.NAdam, radam=optim.RAdam,
               adamax=optim.Adamax, rmsprop=optim.RMSprop, adagrad=optim.Adagrad, adadelta=optim.Adadelta, muon=optim.Muon)
usual = dict(beta1=0.9, beta2=0.999, ns_a=3.4445, ns_b=-4.775, ns_c=2.0315)
joined = dict(betas=("beta1", "beta2"), ns_coefficients=("ns_a", "ns_b", "ns_c"), adjust_lr_fn=("adjust_lr",))
ours = ("eps_inside_root", "eps_hat", "bias_correction", "decay_after", "adamw_beta1", "orthogonal")
curvature = torch.tensor([1, 0.1, 5, 0.01, 0.5, 2, 0.3, 1], dtype=torch.float64)
offset = torch.tensor([0.3, -0.1, 0.2, 0.05, 0.4, -0.25, 0.1, -0.2], dtype=torch.float64)
start = torch.tensor([1, -2, 0.5, 3, -0.7, 0.2, 0.4, -1.5], dtype=torch.float64)

def value(text):
    return {"true": True, "false": False}[text] if text in ("true", "false") else text if text.isidentifier() else float(text)

for line in open(sys.argv[1]):
    case = line.strip()
    name, _, arguments = case.rstrip(")").partition("(")
    given = {k: value(v) for k, v in (each.split("=") for each in arguments.split(", ") if each)}
    if name not in classes or any(option in given for option in ours): continue
    if given.get("nesterov") and given.get("dampening"): continue
    if name == "amsgrad": given["amsgrad"] = True
    for option, parts in joined.items():
        if any(part in given for part in parts):
            values = tuple(given.pop(part, usual.get(part)) for part in parts)
            given[option] = values[0] if len(values) == 1 else values
    if "ns_steps" in given: given["ns_steps"] = int(given["ns_steps"])
    rows = [start[:6].reshape(2, 3).clone().requires_grad_(), start[6:].clone().requires_grad_()]
    optimizer = classes[name](rows[:1] if name == "muon" else rows, **given)
    path = []
    for t in range(100):
        w = torch.cat([row.detach().flatten() for row in rows])
        g = curvature * w + (1 if t % 2 == 0 else -1) * offset * (1 + t % 7)
        rows[0].grad, rows[1].grad = g[:6].reshape(2, 3), g[6:]
        optimizer.step()
        path += torch.cat([row.detach().flatten() for row in rows]).tolist()
    print(case, *map(repr, path), sep="\t")
)py";

TEST(PyTorch, TakesTheSameSteps) {
  if (const std::string why = test::missing_in_python("torch"); !why.empty()) GTEST_SKIP() << why;
  const auto folder = std::filesystem::temp_directory_path() / text("scry_torch_", getpid());
  std::filesystem::create_directories(folder);
  const std::string program = folder / "steps.py", cases = folder / "cases", paths = folder / "paths";
  std::ofstream(program) << script;
  {
    std::ofstream out(cases);
    for (const Golden& each : golden()) out << each.expression << '\n';
  }
  EXPECT_EQ(std::system((test::python() + " '" + program + "' '" + cases + "' > '" + paths + "'").c_str()), 0);
  std::ifstream in(paths);
  int compared = 0;
  for (std::string expression; std::getline(in, expression, '\t'); ++compared) {
    SCOPED_TRACE(expression);
    std::vector<double> theirs(800);
    for (double& each : theirs) in >> each;
    in.ignore();
    const auto path = hundred_steps(expression, f64);
    const size_t weights = expression.starts_with("muon") ? 6 : 8;  // theirs takes matrices only
    for (size_t t = 0; t < 100; ++t)
      expect_near({path[t].begin(), path[t].begin() + static_cast<int>(weights)}, &theirs[t * 8], 1e-9, static_cast<int>(t) + 1);
  }
  EXPECT_GE(compared, 45);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace scry::optim
