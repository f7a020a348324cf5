#pragma once

// Everything that core offers to programs.
#include <scry/core/creation.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <scry/core/random.hpp>
#include <scry/core/tensor.hpp>
