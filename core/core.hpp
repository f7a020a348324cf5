#pragma once

// Everything that core offers to programs.
#include <scry/core/creation.hpp>
#include <scry/core/data/dataset.hpp>
#include <scry/core/data/loader.hpp>
#include <scry/core/index.hpp>
#include <scry/core/io/idx.hpp>
#include <scry/core/io/image.hpp>
#include <scry/core/io/npy.hpp>
#include <scry/core/io/npz.hpp>
#include <scry/core/io/safetensors.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <scry/core/print.hpp>
#include <scry/core/random.hpp>
#include <scry/core/state.hpp>
#include <scry/core/tensor.hpp>
#include <scry/core/winograd.hpp>
