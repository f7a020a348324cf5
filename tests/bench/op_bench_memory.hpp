#pragma once

#include <cstdint>

// Plain loops over memory, which say what the machine gives; optimised, unlike the rest of the program.

/// z = 1, or x, or x + 3 y, by the number of inputs.
void write_stream(int inputs, const float* x, const float* y, float* z, int64_t count);
/// The sum, in as many lanes as don't wait for each other.
float read_stream(const float* x, int64_t count);
