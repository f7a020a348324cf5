#pragma once

// What optim writes as JSON and reads from it. The library that does so is slow to compile: only json.cpp includes it.

#include <scry/optim/checkpoint_header.hpp>
#include <scry/optim/trace.hpp>
#include <scry/optim/trainer.hpp>

namespace scry::optim {

std::string to_json(const CheckpointHeader& header);
/// An Error in the name of `source` where it isn't such a header.
CheckpointHeader parse_checkpoint_header(const std::string& json, std::string_view source);

/// {"epoch": 3, "accuracy": 0.9, …}. What is no number is null, here and below.
std::string to_json(int64_t epoch, const Metrics& metrics);

/// As Trace::json says.
std::string to_json(const std::string& optimizer, const std::vector<TracedElement>& elements, const std::vector<TracedStep>& steps);

}  // namespace scry::optim
