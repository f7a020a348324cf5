#pragma once

// Everything that autograd offers to programs.
#include <scry/autograd/backward.hpp>
#include <scry/autograd/gradcheck.hpp>
#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/conv.hpp>
#include <scry/autograd/ops/dropout.hpp>
#include <scry/autograd/ops/inplace.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/normalization.hpp>
#include <scry/autograd/ops/pad.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/power.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/softmax.hpp>
#include <scry/autograd/ops/unfold.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
