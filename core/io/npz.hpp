#pragma once

#include <scry/core/tensor.hpp>

#include <span>

namespace scry::io {

struct NpzOptions {
  bool compress = false;  ///< deflate the arrays, as numpy.savez_compressed does
};

/// Writes tensors of any type and layout as NumPy's .npz file, a zip archive with an .npy file for each, atomically (see AtomicFile). Names must
/// differ from each other, and be such that they could be paths inside a folder.
void save_npz(const std::string& path, std::span<const NamedTensor> tensors, const NpzOptions& options = {});

/// Reads an .npz file, in its order; types are converted as by load_npy. Whatever ZipReader and load_npy refuse, a checksum that is wrong, and
/// a member that is no .npy file are Errors that name the file and the key.
std::vector<NamedTensor> load_npz(const std::string& path);

}  // namespace scry::io
