#include "core/io_support.hpp"

#include <scry/core/io/npy.hpp>
#include <scry/core/io/npz.hpp>
#include <scry/core/io/safetensors.hpp>

using namespace scry;
using namespace scry::test;

// The files that the fuzzers start from, and those that once broke a reader: each is read, or refused with an Error.
TEST(FuzzCorpus, IsReadOrRefused) {
  int read = 0, refused = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SCRY_SOURCE_DIR "/tests/fuzz/corpus")) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    const Kept<void()> readers[] = {[&] { io::load_safetensors(path); }, [&] { io::load_npz(path); }, [&] { io::load_npy(path); }};
    for (const auto& reader : readers) {
      const std::string message = message_of(reader);
      message == nothing_thrown ? ++read : ++refused;
    }
  }
  EXPECT_GE(read, 6);
  EXPECT_GE(refused, 2 * read);
}
