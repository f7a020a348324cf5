#include <scry/core/io/gzip.hpp>

#include <algorithm>
#include <limits>

#include <zlib.h>

namespace scry::io {
namespace {

class Inflater {
 public:
  Inflater(ByteSpan bytes, const std::string& name) : bytes_(bytes), name_(name) {
    require(inflateInit2(&stream_, 15 + 16) == Z_OK, name, ": zlib found no memory");  // 15: any window; 16: gzip's frame
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Writes at most out.size() bytes and returns how many; fewer mean that the end was reached.
  size_t read(std::span<uint8_t> out) {
    size_t done = 0;
    while (done < out.size() && !ended_) {
      const auto room = static_cast<uInt>(std::min<size_t>(out.size() - done, chunk));
      feed();
      stream_.next_out = out.data() + done;
      stream_.avail_out = room;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      check(status);
      if (status == Z_STREAM_END) next_member();
    }
    return done;
  }

 private:
  static constexpr size_t chunk = size_t{1} << 30;  // zlib counts in 32 bits

  size_t left() const { return bytes_.size() - fed_ + stream_.avail_in; }

  void feed() {
    if (stream_.avail_in) return;
    const size_t count = std::min(bytes_.size() - fed_, chunk);
    stream_.next_in = const_cast<Bytef*>(bytes_.data() + fed_);
    stream_.avail_in = static_cast<uInt>(count);
    fed_ += count;
  }

  void check(int status) const {
    if (status == Z_STREAM_END) return;
    require(status != Z_MEM_ERROR, name_, ": zlib found no memory");
    require(status == Z_OK || status == Z_BUF_ERROR, name_, ": the gzip data are damaged at about byte ", bytes_.size() - left(), ": ",
            stream_.msg ? stream_.msg : "no reason given");
    require(left() > 0 || stream_.avail_out == 0, name_, ": the gzip data are cut short after ", bytes_.size(), " bytes");
  }

  void next_member() {
    ended_ = left() == 0;
    if (ended_) return;
    require(is_gzip(bytes_.last(left())), name_, ": the gzip data end at byte ", bytes_.size() - left(), ", and something else follows");
    inflateReset(&stream_);
  }

  ByteSpan bytes_;
  const std::string& name_;
  size_t fed_ = 0;
  bool ended_ = false;
  z_stream stream_{};
};

}  // namespace

Bytes gunzip_start(ByteSpan bytes, size_t count, const std::string& name) {
  require(is_gzip(bytes), name, ": is not gzip data");
  Inflater inflater(bytes, name);
  Bytes out;
  // The room grows with what comes, not with what was announced.
  for (size_t room = std::max<size_t>(4 * bytes.size(), 4096);; room *= 2) {
    const size_t had = out.size();
    out.resize(std::min(room, count));
    const size_t got = inflater.read(std::span(out).subspan(had));
    if (had + got < out.size() || out.size() == count) {
      out.resize(had + got);
      return out;
    }
  }
}

Bytes gunzip(ByteSpan bytes, size_t max_bytes, const std::string& name) {
  max_bytes = std::min(max_bytes, std::numeric_limits<size_t>::max() - 1);
  Bytes out = gunzip_start(bytes, max_bytes + 1, name);
  require(out.size() <= max_bytes, name, ": inflates to more than the ", max_bytes, " bytes that are allowed");
  return out;
}

Bytes read_plain_or_gzip(const std::string& path, size_t max_bytes) {
  Bytes bytes = read_file(path);
  return is_gzip(bytes) ? gunzip(bytes, max_bytes, path) : bytes;
}

}  // namespace scry::io
