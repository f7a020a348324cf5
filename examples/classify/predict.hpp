#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace classify {

/// `classify predict`: the most likely classes of each picture, `top` of them.
void predict(const std::string& checkpoint, const std::vector<std::string>& images, int64_t top);

/// `classify evaluate`: accuracy on a data set's test split.
void evaluate_checkpoint(const std::string& checkpoint, const std::string& data, bool json);

}  // namespace classify
