#include "core/io_support.hpp"

#include <scry/core/io/npy.hpp>
#include <scry/core/io/npy_format.hpp>

#include <cmath>

using namespace scry;
using namespace scry::test;

namespace {

std::string bytes(std::initializer_list<int> values) { return {values.begin(), values.end()}; }

// A file of this header and data; version 1 has two bytes for the header's length, the others four.
std::string npy_of(const std::string& header, const std::string& data, int version = 1) {
  std::string out = "\x93NUMPY" + bytes({version, 0});
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(header.size() >> 8 * i);
  return out + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': " + descr + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

class Npy : public ::testing::Test {
 protected:
  Tensor load(const std::string& file) { return io::load_npy(put(path_, file)); }
  TempFolder folder_;
  std::string path_ = folder_ / "f.npy";
};

}  // namespace

TEST_F(Npy, GoesThereAndBack) {
  const Tensor x = Tensor::of(std::vector<float>{1, -2, 0.5f, 4, 5, 6}, {2, 3});
  Tensor mask = Tensor::empty({2}, boolean);
  mask.mutable_data<bool>()[0] = true, mask.mutable_data<bool>()[1] = false;
  for (const Tensor& tensor :
       {x, mask, Tensor::view(x.node().storage, 0, {3, 2}, {1, 3}, f32), Tensor::view(x.node().storage, 5, {2, 2}, {0, -1}, f32),
        Tensor::of(std::vector<double>{1e300, -INFINITY, -0.0}, {1, 3, 1}), Tensor::of(std::vector<int64_t>{INT64_MIN}, {}),
        Tensor::of(std::vector<uint8_t>{0, 255}, {2}), Tensor::empty({0, 4}, f64)}) {
    io::save_npy(path_, tensor);
    const Tensor back = io::load_npy(path_);
    EXPECT_TRUE(same_bits(back, tensor)) << name_of(tensor.dtype());
    EXPECT_TRUE(back.is_contiguous());
  }
  EXPECT_EQ(folder_.count(), 1);
}

TEST_F(Npy, WritesWhatNumpyWrites) {
  io::save_npy(path_, Tensor::of(std::vector<float>{1}, {1}));
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  header.resize(118 - 1, ' ');
  EXPECT_EQ(io::read_file(path_), bytes_of(npy_of(header + "\n", bytes({0, 0, 0x80, 0x3f}))));
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{1000000, 0, 1000, 1, 1, 1, 1, 1}}) {
    const std::string start = io::format_npy_header(Tensor::empty(shape, u8));
    EXPECT_EQ(start.size() % 64, 0u);
    EXPECT_EQ(start.back(), '\n');
    EXPECT_EQ(io::parse_npy_header(std::string_view(start).substr(10), "x").shape, shape);
  }
}

TEST_F(Npy, ConvertsTypes) {
  const auto one = [&](const std::string& descr, std::initializer_list<int> data) { return load(npy_of(header_of(descr, "()"), bytes(data))); };
  EXPECT_EQ(one("'<i4'", {0xfe, 0xff, 0xff, 0xff}).item<int64_t>(), -2);
  EXPECT_EQ(one("'>i4'", {0xff, 0xff, 0xff, 0xfe}).item<int64_t>(), -2);
  EXPECT_EQ(one("'<i2'", {0xfe, 0xff}).item<int64_t>(), -2);
  EXPECT_EQ(one("'<u2'", {0xfe, 0xff}).item<int64_t>(), 0xfffe);
  EXPECT_EQ(one("'|i1'", {0xfe}).item<int64_t>(), -2);
  EXPECT_EQ(one("'<u4'", {0xfe, 0xff, 0xff, 0xff}).item<int64_t>(), 0xfffffffe);
  EXPECT_EQ(one("'<u8'", {1, 0, 0, 0, 0, 0, 0, 0x7f}).item<int64_t>(), 0x7f00000000000001);
  EXPECT_EQ(one("'<f2'", {0x00, 0x3c}).item(), 1);
  EXPECT_EQ(one("'>f2'", {0x3c, 0x00}).item(), 1);
  EXPECT_EQ(one("'>f4'", {0x3f, 0x80, 0, 0}).item(), 1);
  EXPECT_EQ(one("'>f8'", {0x3f, 0xf0, 0, 0, 0, 0, 0, 0}).item(), 1);
  EXPECT_EQ(one("'|u1'", {200}).dtype(), u8);
  EXPECT_EQ(one("'>u1'", {200}).item(), 200);
  EXPECT_EQ(one("'|b1'", {1}).dtype(), boolean);
  EXPECT_FAILS(one("'|b1'", {2}), path_, "bool can't hold: number 0");
  EXPECT_FAILS(one("'<u8'", {0, 0, 0, 0, 0, 0, 0, 0x80}), path_, "i64 can't hold");
  for (const char* descr : {"'|O'", "'<c8'", "'<U3'", "'<M8[ns]'", "'<f16'", "'|V2'", "''", "'f'", "'<'"})
    EXPECT_FAILS(one(descr, {0, 0, 0, 0, 0, 0, 0, 0}), path_, "not supported");
  EXPECT_FAILS(one("[('a', '<f4')]", {0, 0, 0, 0}), path_, "records");
}

TEST_F(Npy, FortranOrder) {
  const Tensor x = load(npy_of(header_of("'|u1'", "(2, 3)", "True"), bytes({1, 2, 3, 4, 5, 6})));
  EXPECT_EQ(x.to_vector<int64_t>(), (std::vector<int64_t>{1, 3, 5, 2, 4, 6}));
  EXPECT_EQ(x.strides(), (Shape{1, 2}));
}

TEST_F(Npy, ReadsWhateverAVersionWrote) {
  const std::string data = bytes({1, 2, 3});
  for (int version : {1, 2, 3}) EXPECT_EQ(load(npy_of(header_of("'|u1'", "(3,)"), data, version)).numel(), 3);
  EXPECT_EQ(load(npy_of("{\"shape\":(3L,),\"fortran_order\":False,\"descr\":\"|u1\"}", data)).numel(), 3);
  EXPECT_EQ(load(npy_of("{'shape': (1, 3), 'descr': '|u1', 'fortran_order': False}     \n", data)).shape(), (Shape{1, 3}));
}

TEST_F(Npy, DamagedHeaders) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "expected '{', got the end"},
      {"{}", "no field 'descr'"},
      {"{'descr': '|u1', 'fortran_order': False}", "no field 'shape'"},
      {"{'descr': '|u1', 'descr': '|u1'}", "'descr' twice"},
      {"{'order': 1}", "unknown field 'order'"},
      {"{'descr': 3}", "expected a type in quotes, got '3}'"},
      {"{'descr: 3}", "expected a key in quotes"},
      {header_of("'|u1'", "(3,)", "maybe"), "expected True or False, got 'maybe"},
      {header_of("'|u1'", "3"), "expected '('"},
      {header_of("'|u1'", "(-3,)"), "expected a size, 0 or more"},
      {header_of("'|u1'", "(3.0,)"), "expected ')'"},
      {header_of("'|u1'", "(3"), "expected"},
      {header_of("'|u1'", "(x,)"), "expected a size"},
      {header_of("'|u1'", "(99999999999999999999,)"), "out of range"},
      {header_of("'|u1'", "(1, 1, 1, 1, 1, 1, 1, 1, 3)"), "more than 8 axes"},
      {header_of("'|u1'", "(3,)") + "x", "expected the end"},
      {header_of("__import__('os').abort()", "(3,)"), "expected a type in quotes"},
  };
  for (const auto& [header, part] : cases) EXPECT_FAILS(load(npy_of(header, bytes({1, 2, 3}))), path_, part);
}

TEST_F(Npy, SizesAreCheckedBeforeMemoryIsTaken) {
  const auto with = [&](const std::string& shape, const std::string& descr = "'<f8'") {
    return npy_of(header_of(descr, shape), std::string(8, '\0'));
  };
  EXPECT_FAILS(load(with("(2,)")), path_, "cut short", "[2]", "16 bytes", "8 follow");
  EXPECT_FAILS(load(with("(0,)")), path_, "too long");
  EXPECT_FAILS(load(with("(4294967296, 4294967296)")), path_, "64 bits");
  EXPECT_FAILS(load(with("(2305843009213693953,)")), path_, "64 bits");  // times 8 is 8, in 64 bits
  EXPECT_FAILS(load(with("(1000000000000,)", "'|i1'")), path_, "cut short");
  EXPECT_FAILS(load(with("(9000000000000000000, 9000000000000000000, 0)")), path_, "64 bits");
  EXPECT_FAILS(load("\x93NUMPY" + bytes({2, 0, -1, -1, -1, -1}) + "{}"), path_, "header would be longer");
  EXPECT_FAILS(load("\x93NUMPY" + bytes({1, 0, 100, 0}) + "{}"), path_, "header should take 100 bytes, and 2 follow");
  EXPECT_FAILS(load("\x93NUMPY" + bytes({4, 0, 2, 0, 0, 0}) + "{}"), path_, "version 4.0");
  EXPECT_FAILS(load("PK something else"), path_, "not an .npy array");
  EXPECT_FAILS(io::load_npy(folder_ / "none"), "none", "No such file");
  EXPECT_FAILS(io::save_npy(path_, Tensor()), path_, "undefined");
}

TEST_F(Npy, CutAnywhereIsAnError) {
  const std::string whole = npy_of(header_of("'<i2'", "(2, 2)"), std::string(8, '\1'));
  for (size_t length = 0; length < whole.size(); ++length) EXPECT_FAILS(load(whole.substr(0, length)), path_);
  for (size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      message_of([&] { load(changed); });  // an Error or another array, no crash
    }
}
