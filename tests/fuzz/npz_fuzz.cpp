#include <scry/core/io/npy.hpp>
#include <scry/core/io/npz.hpp>

#include "fuzz/read.hpp"

// The bytes as an archive, and as an array by itself.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(bytes), size);
  scry::fuzz::read(file, [](const std::string& path) { return scry::io::load_npz(path); });
  scry::fuzz::read(file, [](const std::string& path) { return std::vector<scry::NamedTensor>{{"", scry::io::load_npy(path)}}; });
  return 0;
}
