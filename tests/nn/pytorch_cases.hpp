#pragma once

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <scry/nn/nn.hpp>

#include <memory>

#include "support.hpp"

// The cases in which layers and models are held against PyTorch's. Each has a line here and one of the same name in pytorch_cases.py.

namespace scry::nn::test {

using Tensors = std::vector<Tensor>;

struct Subject {
  std::shared_ptr<ModuleBase> model;  ///< null for functions without parameters
  scry::test::Kept<Tensors(const Tensors& inputs)> run;
};

struct Case {
  std::string name;
  scry::test::Kept<Subject()> make;
};

/// A module, and how its inputs and outputs are listed.
template <class Model, class Run>
Subject subject(const Model& model, Run run) {
  return {std::make_shared<Model>(model), [model, run](const Tensors& x) { return run(model, x); }};
}

/// A module of one input and one output.
template <class Model>
Case case_of(const char* name, Model (*make)()) {
  return {name, [make] { return subject(make(), [](const Model& model, const Tensors& x) { return Tensors{model(x[0])}; }); }};
}
template <class Make>
Case layer(const char* name, Make make) {
  return case_of(name, +make);  // compiled once a kind of module, not once a case
}

inline Case function(const char* name, scry::test::Kept<Tensor(const Tensors&)> compute) {
  return {name, [compute] { return Subject{nullptr, [compute](const Tensors& x) { return Tensors{compute(x)}; }}; }};
}

std::vector<Case> layer_cases();
std::vector<Case> function_cases();
std::vector<Case> sequence_cases();
std::vector<Case> model_cases();

}  // namespace scry::nn::test
