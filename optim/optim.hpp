#pragma once

// Everything that optim offers to programs.
#include <scry/optim/adadelta.hpp>
#include <scry/optim/adagrad.hpp>
#include <scry/optim/adam.hpp>
#include <scry/optim/adamax.hpp>
#include <scry/optim/adamw.hpp>
#include <scry/optim/amsgrad.hpp>
#include <scry/optim/checkpoint.hpp>
#include <scry/optim/lamb.hpp>
#include <scry/optim/lion.hpp>
#include <scry/optim/lookahead.hpp>
#include <scry/optim/muon.hpp>
#include <scry/optim/nadam.hpp>
#include <scry/optim/optimizer.hpp>
#include <scry/optim/parse.hpp>
#include <scry/optim/radam.hpp>
#include <scry/optim/registry.hpp>
#include <scry/optim/rmsprop.hpp>
#include <scry/optim/schedule.hpp>
#include <scry/optim/scheduler.hpp>
#include <scry/optim/sgd.hpp>
#include <scry/optim/trainer.hpp>
#include <scry/optim/trainer_callbacks.hpp>
