#include <scry/core/io/zip.hpp>

#include <algorithm>

#include <zlib.h>

namespace scry::io {

class ZipStream::Inflater {
 public:
  Inflater(const InputFile& file, const ZipMember& member, const std::string& what) : file_(file), member_(member), what_(what) {
    require(inflateInit2(&stream_, -15) == Z_OK, what, ": zlib found no memory");  // 15: any window; negative: no frame around the data
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Writes at most out.size() bytes and returns how many; fewer mean that the end was reached.
  size_t read(std::span<uint8_t> out) {
    size_t done = 0;
    while (done < out.size() && !ended_) {
      feed();
      const auto room = static_cast<uInt>(std::min<size_t>(out.size() - done, size_t{1} << 30));  // zlib counts in 32 bits
      stream_.next_out = out.data() + done;
      stream_.avail_out = room;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      ended_ = status == Z_STREAM_END;
      require(status == Z_OK || status == Z_STREAM_END || (status == Z_BUF_ERROR && left() > 0), what_,
              ": the deflated data are damaged at about byte ", fed_ - stream_.avail_in, " of ", member_.stored, ": ",
              stream_.msg ? stream_.msg : "they are cut short");
    }
    return done;
  }
  uint64_t left() const { return member_.stored - fed_ + stream_.avail_in; }

 private:
  void feed() {
    if (stream_.avail_in) return;
    const size_t count = std::min<uint64_t>(member_.stored - fed_, sizeof piece_);
    file_.read(member_.begin + fed_, {piece_, count});
    stream_.next_in = piece_;
    stream_.avail_in = static_cast<uInt>(count);
    fed_ += count;
  }

  const InputFile& file_;
  const ZipMember& member_;
  const std::string& what_;
  uint64_t fed_ = 0;
  bool ended_ = false;
  z_stream stream_{};
  uint8_t piece_[1 << 16];
};

ZipStream::ZipStream(const InputFile& file, const ZipMember& member, const std::string& what) : file_(file), member_(member), what_(what) {
  if (member.deflated) inflater_ = std::make_unique<Inflater>(file, member, what);
}

ZipStream::~ZipStream() = default;

void ZipStream::read(std::span<uint8_t> out) {
  require(out.size() <= member_.size - done_, what_, ": cut short: ends after ", member_.size, " bytes");
  if (inflater_)
    require(inflater_->read(out) == out.size(), what_, ": the deflated data hold fewer than the ", member_.size, " bytes that they should");
  else
    file_.read(member_.begin + done_, out);
  done_ += out.size();
  if (!out.empty()) crc_ = crc32_z(crc_, out.data(), out.size());  // a null pointer would begin it anew
}

void ZipStream::finish() {
  uint8_t more;
  require(done_ == member_.size && (!inflater_ || (inflater_->read({&more, 1}) == 0 && inflater_->left() == 0)), what_, ": goes on after its ", done_,
          " bytes");
  require(crc_ == member_.crc, what_, ": is damaged: its checksum isn't the one that the archive gives");
}

}  // namespace scry::io
