#pragma once

// Everything that nn offers to programs.
#include <scry/nn/activation.hpp>
#include <scry/nn/batch_norm.hpp>
#include <scry/nn/conv.hpp>
#include <scry/nn/dropout.hpp>
#include <scry/nn/flatten.hpp>
#include <scry/nn/identity.hpp>
#include <scry/nn/init.hpp>
#include <scry/nn/linear.hpp>
#include <scry/nn/models/lenet.hpp>
#include <scry/nn/models/mlp.hpp>
#include <scry/nn/models/mobilenet.hpp>
#include <scry/nn/models/resnet.hpp>
#include <scry/nn/models/resnet_cifar.hpp>
#include <scry/nn/models/small_cnn.hpp>
#include <scry/nn/models/vgg.hpp>
#include <scry/nn/module.hpp>
#include <scry/nn/module_list.hpp>
#include <scry/nn/norm.hpp>
#include <scry/nn/pad.hpp>
#include <scry/nn/pool.hpp>
#include <scry/nn/sequential.hpp>
#include <scry/nn/summary.hpp>
#include <scry/nn/unfold.hpp>
#include <scry/nn/upsample.hpp>
#include <scry/nn/weights.hpp>
