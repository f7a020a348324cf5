#include "core/io_support.hpp"

#include <scry/core/memory.hpp>

#include <csignal>
#include <thread>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace scry;
using namespace scry::test;

namespace {

std::string write(const std::string& path, io::ByteSpan bytes) {
  io::write_file(path, bytes);
  return path;
}
std::string write(const std::string& path, std::string_view text) { return write(path, bytes_of(text)); }

}  // namespace

TEST(File, ReadsWhatWasWritten) {
  const TempFolder folder;
  const std::string path = folder / "a b.bin";
  const io::Bytes one = bytes_of("first"), two, three(100000, 7);
  const io::ByteSpan pieces[] = {one, two, three};
  io::write_file(path, pieces);
  EXPECT_EQ(io::read_file(path), one + three);
  write(path, "shorter");
  EXPECT_EQ(io::read_file(path), bytes_of("shorter"));
  write(path, "");
  EXPECT_EQ(io::read_file(path).size(), 0u);
  EXPECT_EQ(folder.count(), 1);
}

TEST(File, ReadErrorsNameThePathAndTheReason) {
  const TempFolder folder;
  EXPECT_FAILS(io::read_file(folder / "none"), folder / "none", "No such file");
  EXPECT_FAILS(io::read_file(folder.path()), folder.path(), "a folder");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_FAILS(io::read_file(folder / "pipe"), folder / "pipe", "not a regular file");
  EXPECT_FAILS(io::read_file("/dev/zero"), "/dev/zero", "not a regular file");
  EXPECT_FAILS(io::read_file(""), "No such file");
}

TEST(File, LargerThanMemoryIsAnError) {
  const TempFolder folder;
  const std::string path = write(folder / "sparse", "x");
  if (::truncate(path.c_str(), int64_t{1} << 42) != 0) GTEST_SKIP() << "no file of 4 TB can be made here";
  if (memory::available() > size_t{1} << 42) GTEST_SKIP() << "this machine has more than 4 TB of memory";
  EXPECT_FAILS(io::read_file(path), path, "don't fit");
}

TEST(File, ReadPastTheEndIsAnError) {
  const TempFolder folder;
  const std::string path = write(folder / "short", "12345");
  const io::InputFile file(path);
  uint8_t out[4];
  file.read(1, out);
  EXPECT_EQ(out[0], '2');
  EXPECT_FAILS(file.read(2, out), path, "ends at byte 5");
  EXPECT_FAILS(file.read(100, out), path, "ends at byte 100");
}

TEST(File, WriteErrorsNameThePathAndTheReason) {
  const TempFolder folder;
  EXPECT_FAILS(write(folder / "none/x", "x"), folder / "none/x", "there is no folder", "make it first");
  EXPECT_FAILS(write(folder.path(), "x"), folder.path(), "a folder");
  EXPECT_FAILS(write(folder / "none/", "x"), "can't be written");
  EXPECT_FAILS(write("", "x"), "not a file name");
  EXPECT_FAILS(write("/dev/null", "x"), "/dev/null", "not a regular file");
  EXPECT_FAILS(write(folder / std::string(300, 'n'), "x"), "name too long");
  EXPECT_EQ(folder.count(), 0);
}

TEST(File, WithoutCommitTheOldFileStays) {
  const TempFolder folder;
  const std::string path = write(folder / "f", "old");
  {
    io::AtomicFile file(path);
    file.write(bytes_of("new"));
    EXPECT_EQ(io::read_file(path), bytes_of("old"));
    EXPECT_EQ(folder.count(), 2);
  }
  EXPECT_EQ(io::read_file(path), bytes_of("old"));
  EXPECT_EQ(folder.count(), 1);
}

TEST(File, KeepsModesAndFollowsLinks) {
  const TempFolder folder;
  const std::string path = write(folder / "f", "old"), link = folder / "link";
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  ASSERT_EQ(::symlink("f", link.c_str()), 0);
  write(link, "new");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(io::read_file(path), bytes_of("new"));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

// A process whose files may not grow past 64 KB sees what a full disk shows: a short write, then an error.
TEST(File, AFullDiskIsAnErrorAndLeavesTheOldFile) {
  const TempFolder folder;
  const std::string path = write(folder / "f", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{65536, 65536};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = message_of([&] { write(path, io::Bytes(1 << 20, 1)); });
    ::_exit(contains(message, path) && contains(message, "File too large") && contains(message, "unchanged") ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(io::read_file(path), bytes_of("old"));
  EXPECT_EQ(folder.count(), 1);
}

// At whatever moment a writer is killed, the file is one of the two whole ones, and what it leaves behind doesn't pile up.
TEST(File, KilledWritersLeaveAWholeFile) {
  const TempFolder folder;
  const std::string path = write(folder / "f", io::Bytes(1 << 20, 0));
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0)
      for (uint8_t i = 0;; ++i) write(path, io::Bytes(1 << 20, i));
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 997 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const io::Bytes found = io::read_file(path);
    ASSERT_EQ(found.size(), size_t{1} << 20);
    ASSERT_EQ(found, io::Bytes(1 << 20, found[0]));
    ASSERT_LE(folder.count(), 2);
  }
  write(path, "last");
  EXPECT_EQ(io::read_file(path), bytes_of("last"));
  EXPECT_EQ(folder.count(), 1);
}

TEST(File, WritersOfTheSamePathDoNotMix) {
  const TempFolder folder;
  const std::string path = folder / "f";
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&, w] {
      for (int i = 0; i < 25; ++i) write(path, io::Bytes(static_cast<size_t>(10000 + w), static_cast<uint8_t>(w)));
    });
  for (auto& writer : writers) writer.join();
  const io::Bytes found = io::read_file(path);
  EXPECT_EQ(found, io::Bytes(10000u + found[0], found[0]));
  EXPECT_EQ(folder.count(), 1);
}
