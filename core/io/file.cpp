#include <scry/core/io/file.hpp>
#include <scry/core/memory.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scry::io {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

bool has_type(const std::string& path, mode_t type) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == type;
}

const char* kind_of(mode_t mode) { return S_ISDIR(mode) ? "a folder" : "not a regular file"; }

bool names_this_file(int file, const std::string& path) {
  struct stat open {
  }, named{};
  return ::fstat(file, &open) == 0 && ::lstat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

}  // namespace

std::string shown(std::string_view name) {
  std::string out(name.substr(0, 100));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  if (name.size() > out.size()) out += "...";
  return out;
}

bool is_folder(const std::string& path) { return has_type(path, S_IFDIR); }
bool is_file(const std::string& path) { return has_type(path, S_IFREG); }

void Descriptor::reset(int number) {
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

// O_NONBLOCK, because opening a pipe would wait for its writer.
InputFile::InputFile(std::string path) : path_(std::move(path)), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat info {};
  if (file_.get() < 0 || ::fstat(file_.get(), &info) != 0) fail(path_, ": can't be read: ", reason(errno));
  require(S_ISREG(info.st_mode), path_, ": can't be read: it is ", kind_of(info.st_mode));
  size_ = static_cast<uint64_t>(info.st_size);
}

void InputFile::read(uint64_t offset, std::span<uint8_t> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, ": can't be read at byte ", offset, ": ", reason(errno));
    require(got > 0, path_, ": ends at byte ", offset, ", before what should follow");
    offset += static_cast<uint64_t>(got);
    out = out.subspan(static_cast<size_t>(got));
  }
}

Bytes read_file(const std::string& path) {
  const InputFile file(path);
  require(file.size() <= memory::available(), path, ": its ", file.size(), " bytes don't fit into the memory that is left, ", memory::available(),
          " bytes");
  Bytes bytes(static_cast<size_t>(file.size()));
  file.read(0, bytes);
  return bytes;
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(path) {
  struct stat old {};
  const bool replaces = ::stat(path.c_str(), &old) == 0;
  if (replaces) {
    require(S_ISREG(old.st_mode), path, ": can't be written: it is ", kind_of(old.st_mode));
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    if (real) target_ = real.get();
  }
  const size_t slash = target_.rfind('/');
  const std::string name = slash == std::string::npos ? target_ : target_.substr(slash + 1);
  folder_ = slash == std::string::npos ? "." : target_.substr(0, std::max<size_t>(slash, 1));
  require(!name.empty(), "'", path, "': can't be written: it is not a file name");
  temporary_ = folder_ + "/." + name + ".tmp";
  open_temporary();
  if (::ftruncate(file_.get(), 0) != 0) fail_with("can't be written", errno);
  if (replaces) ::fchmod(file_.get(), old.st_mode & 07777);
}

// The hidden file has a fixed name, so that what a crash leaves behind is taken over and doesn't pile up; the lock keeps two writers
// from sharing it. Who waited for the lock may hold a file that was renamed or removed meanwhile, and tries again.
void AtomicFile::open_temporary() {
  for (;;) {
    file_.reset(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (file_.get() < 0) {
      const int error = errno;
      require(is_folder(folder_), path_, ": can't be written: there is no folder ", folder_, "; make it first");
      fail(path_, ": can't be written: ", reason(error));
    }
    while (::flock(file_.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
    if (names_this_file(file_.get(), temporary_)) return;
  }
}

AtomicFile::~AtomicFile() {
  if (file_.get() >= 0) ::unlink(temporary_.c_str());
}

void AtomicFile::fail_with(const char* what, int error) const {
  fail(path_, ": ", what, ": ", reason(error), "; what was there before is unchanged");
}

void AtomicFile::write(ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file_.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) fail_with("can't be written", wrote < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<size_t>(wrote));
  }
}

void AtomicFile::commit() {
  require(file_.get() >= 0, path_, ": was committed before");
  if (::fsync(file_.get()) != 0) fail_with("can't be synced", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_with("can't be replaced", errno);
  file_.reset();
  const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems can't sync a folder, and some folders can't be read; neither makes the file less whole.
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno == EIO) fail(path_, ": its folder can't be synced: ", reason(EIO));
}

void write_file(const std::string& path, std::span<const ByteSpan> pieces) {
  AtomicFile file(path);
  for (const ByteSpan piece : pieces) file.write(piece);
  file.commit();
}

}  // namespace scry::io
