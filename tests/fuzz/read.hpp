#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <scry/core/tensor.hpp>
#include <cstdlib>

namespace scry::fuzz {

/// Whatever the bytes are, a reader gives tensors that can be read to their ends, or throws an Error. It gets the path of a file in memory.
template <class Reader>
void read(std::string_view bytes, const Reader& reader) {
  static const int file = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  try {
    for (const NamedTensor& t : reader(path)) t.tensor.to_vector<double>();
  } catch (const Error&) {
  }
}

}  // namespace scry::fuzz
