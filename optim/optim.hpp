#pragma once

// Everything that optim offers to programs.
#include <scry/optim/adam.hpp>
#include <scry/optim/checkpoint.hpp>
#include <scry/optim/lookahead.hpp>
#include <scry/optim/optimizer.hpp>
#include <scry/optim/parse.hpp>
#include <scry/optim/registry.hpp>
#include <scry/optim/schedule.hpp>
#include <scry/optim/scheduler.hpp>
#include <scry/optim/sgd.hpp>
#include <scry/optim/trainer.hpp>
#include <scry/optim/trainer_callbacks.hpp>
