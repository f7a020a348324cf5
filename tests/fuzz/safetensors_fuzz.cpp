#include <scry/core/io/safetensors.hpp>

#include "fuzz/read.hpp"

// The bytes as a file, and as the header of one, whose length would be hard to guess.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string headed(reinterpret_cast<const char*>(&size), sizeof size);
  headed.append(reinterpret_cast<const char*>(bytes), size);
  for (const std::string_view file : {std::string_view(headed).substr(sizeof size), std::string_view(headed)})
    scry::fuzz::read(file, [](const std::string& path) { return scry::io::load_safetensors(path).tensors; });
  return 0;
}
