#pragma once

#include <arguments.hpp>

#include "train.hpp"

namespace classify {

/// What the command line asks for.
struct Commands {
  int64_t threads = 0;  ///< 0: not said
  TrainOptions train;
  // Of the two others.
  std::string checkpoint, data = "fashion-mnist";
  bool json = false;
  std::vector<std::string> images;
  int64_t top = 3;
};

/// The command line that fills them in.
arguments::Arguments command_line(Commands& commands);

}  // namespace classify
