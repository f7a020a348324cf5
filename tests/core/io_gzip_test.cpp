#include "core/io_support.hpp"

#include <scry/core/io/gzip.hpp>

#include <numeric>

using namespace scry;
using namespace scry::test;

namespace {

io::Bytes noise(size_t count) {
  io::Bytes bytes(count);
  uint32_t state = 1;
  for (uint8_t& b : bytes) b = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

}  // namespace

TEST(Gzip, Inflates) {
  for (size_t count : {0, 1, 1000, 300000}) {
    EXPECT_EQ(io::gunzip(gzip(noise(count)), count, "x"), noise(count));
    EXPECT_EQ(io::gunzip(gzip(io::Bytes(count, 5)), count, "x"), io::Bytes(count, 5));
  }
}

TEST(Gzip, SeveralMembers) {
  const io::Bytes members = gzip(noise(5000)) + gzip({}) + gzip(bytes_of("end"));
  EXPECT_EQ(io::gunzip(members, 1 << 20, "x"), noise(5000) + bytes_of("end"));
  EXPECT_EQ(io::gunzip(members, 5003, "x").size(), 5003u);
  EXPECT_FAILS(io::gunzip(members, 5002, "x"), "x: inflates to more than the 5002 bytes");
}

TEST(Gzip, StartStopsThere) {
  EXPECT_EQ(io::gunzip_start(gzip(noise(5000)), 10, "x"), io::Bytes(noise(10)));
  EXPECT_EQ(io::gunzip_start(gzip(noise(5)), 10, "x"), noise(5));
  EXPECT_EQ(io::gunzip_start(gzip(noise(5)), 0, "x").size(), 0u);
}

TEST(Gzip, CutShortAnywhere) {
  const io::Bytes whole = gzip(noise(300)) + gzip(io::Bytes(3000, 1));
  const size_t first = gzip(noise(300)).size();
  for (size_t length = 0; length < whole.size(); ++length) {
    if (length == first) continue;  // a whole file
    const io::ByteSpan part(whole.data(), length);
    EXPECT_NE(message_of([&] { io::gunzip(part, 1 << 20, "x"); }), nothing_thrown) << length;
  }
}

TEST(Gzip, AnyChangedByteOfTheDataIsNoticed) {
  const io::Bytes data = noise(300), whole = gzip(data);
  for (size_t i = 10; i < whole.size(); ++i) {  // the ten bytes before hold a time and a system that don't matter
    io::Bytes changed = whole;
    changed[i] ^= 5;  // in a block's first byte these bits matter, the upper ones don't
    EXPECT_NE(message_of([&] { io::gunzip(changed, 1 << 20, "x"); }), nothing_thrown) << i;
  }
}

TEST(Gzip, SaysWhatIsWrong) {
  EXPECT_FAILS(io::gunzip(bytes_of("plain"), 100, "name"), "name: is not gzip data");
  EXPECT_FAILS(io::gunzip(gzip(noise(30)) + bytes_of("junk"), 100, "name"), "name", "something else follows");
  io::Bytes damaged = gzip(noise(300));
  damaged[20] ^= 0xff;
  damaged[damaged.size() - 6] ^= 1;
  EXPECT_FAILS(io::gunzip(damaged, 1000, "name"), "name", "damaged");
  EXPECT_FAILS(io::gunzip(io::ByteSpan(damaged).first(200), 1000, "name"), "name", "cut short");
}

TEST(Gzip, BombStaysWithinItsBound) {
  const io::Bytes bomb = gzip(io::Bytes(64 << 20, 0));
  ASSERT_LT(bomb.size(), 100000u);
  EXPECT_FAILS(io::gunzip(bomb, 1000, "bomb"), "bomb: inflates to more than the 1000 bytes");
}

TEST(Gzip, PlainOrGzipByItsMagic) {
  const TempFolder folder;
  EXPECT_EQ(io::read_plain_or_gzip(put(folder / "a.gz", "plain"), 1), bytes_of("plain"));
  EXPECT_EQ(io::read_plain_or_gzip(put(folder / "b", gzip(bytes_of("packed"))), 6), bytes_of("packed"));
  EXPECT_FAILS(io::read_plain_or_gzip(folder / "b", 5), folder / "b", "more than the 5 bytes");
}
