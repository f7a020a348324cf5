#include "core/io_support.hpp"

#include <scry/core/io/safetensors.hpp>

#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace scry;
using namespace scry::test;

namespace {

io::Bytes file_of(std::string_view header, const io::Bytes& data = {}) {
  io::Bytes out(8);
  const uint64_t length = header.size();
  std::memcpy(out.data(), &length, 8);
  return out + bytes_of(header) + data;
}

std::vector<NamedTensor> sample() {
  return {{"fc.bias", Tensor::of(std::vector<uint8_t>{1, 2, 255}, {3})},
          {"fc.weight", Tensor::of(std::vector<float>{1, -2, 0.5f, 4, 5, 6}, {2, 3})},
          {"empty", Tensor::empty({0, 4}, f64)},
          {"step", Tensor::of(std::vector<int64_t>{-7}, {})},
          {"mask", Tensor::of(std::vector<uint8_t>{0, 1}, {2})},
          {"wide", Tensor::of(std::vector<double>{1e300, std::numeric_limits<double>::infinity()}, {1, 2})}};
}

// Loads a file of this header and data, and says what went wrong.
class SafetensorsError : public ::testing::Test {
 protected:
  std::string load(const std::string& header, size_t data_bytes = 8) {
    return message_of([&] { io::load_safetensors(put(path_, file_of(header, io::Bytes(data_bytes, 0)))); });
  }
  void expect(const std::string& header, const std::vector<std::string>& parts, size_t data_bytes = 8) {
    const std::string message = load(header, data_bytes);
    EXPECT_TRUE(contains(message, path_)) << message;
    for (const auto& part : parts) EXPECT_TRUE(contains(message, part)) << header << ": '" << message << "' lacks '" << part << "'";
  }
  TempFolder folder_;
  std::string path_ = folder_ / "f.safetensors";
};

}  // namespace

TEST(Safetensors, GoesThereAndBack) {
  const TempFolder folder;
  const std::string path = folder / "f.safetensors";
  const io::Metadata metadata{{"format", "pt"}, {"note", "line\n\"quoted\" ünï \\"}};
  io::save_safetensors(path, sample(), metadata);
  const io::SafetensorsFile file = io::load_safetensors(path);
  expect_same(sample(), file.tensors);
  EXPECT_EQ(file.metadata, metadata);
  EXPECT_EQ(folder.count(), 1);
}

TEST(Safetensors, Booleans) {
  const TempFolder folder;
  Tensor mask = Tensor::empty({3}, boolean);
  bool* data = mask.mutable_data<bool>();
  data[0] = true, data[1] = false, data[2] = true;
  io::save_safetensors(folder / "f", std::vector<NamedTensor>{{"mask", mask}});
  const Tensor back = io::load_safetensors(folder / "f").tensors.at(0).tensor;
  EXPECT_EQ(back.dtype(), boolean);
  EXPECT_EQ(back.to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 1}));
}

TEST(Safetensors, ExactBytes) {
  const TempFolder folder;
  io::save_safetensors(folder / "f", std::vector<NamedTensor>{{"a\"b", Tensor::of(std::vector<float>{1}, {1})}}, {{"k", "v"}});
  const std::string header = R"({"__metadata__":{"k":"v"},"a\"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  EXPECT_EQ(io::read_file(folder / "f"), file_of(header + std::string((8 - header.size() % 8) % 8, ' '), {0, 0, 0x80, 0x3f}));
}

TEST(Safetensors, NothingAtAll) {
  const TempFolder folder;
  io::save_safetensors(folder / "f", {});
  EXPECT_EQ(io::read_file(folder / "f"), file_of("{}      "));
  EXPECT_TRUE(io::load_safetensors(folder / "f").tensors.empty());
  EXPECT_TRUE(io::load_safetensors(put(folder / "f", file_of(R"({"__metadata__":{}})"))).metadata.empty());
}

TEST(Safetensors, WritesViewsRowMajor) {
  const TempFolder folder;
  const Tensor x = Tensor::of(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor turned = Tensor::view(x.node().storage, 0, {3, 2}, {1, 3}, f32);
  const Tensor part = Tensor::view(x.node().storage, 1, {2}, {3}, f32);
  const Tensor repeated = Tensor::view(x.node().storage, 5, {2, 2}, {0, -1}, f32);
  io::save_safetensors(folder / "f", std::vector<NamedTensor>{{"turned", turned}, {"part", part}, {"repeated", repeated}});
  const auto file = io::load_safetensors(folder / "f");
  EXPECT_EQ(file.tensors[0].tensor.to_vector<float>(), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(file.tensors[1].tensor.to_vector<float>(), (std::vector<float>{2, 5}));
  EXPECT_EQ(file.tensors[2].tensor.to_vector<float>(), (std::vector<float>{6, 5, 6, 5}));
  EXPECT_TRUE(file.tensors[0].tensor.is_contiguous());
}

TEST(Safetensors, EveryTensorLiesAligned) {
  const TempFolder folder;
  io::save_safetensors(folder / "f", std::vector<NamedTensor>{{"a", Tensor::of(std::vector<uint8_t>{1}, {1})},
                                                              {"b", Tensor::of(std::vector<float>{1}, {1})},
                                                              {"c", Tensor::of(std::vector<double>{1}, {1})}});
  const io::Bytes bytes = io::read_file(folder / "f");
  const std::string header(bytes.begin() + 8, bytes.end());
  EXPECT_TRUE(contains(header, R"("a":{"dtype":"U8","shape":[1],"data_offsets":[12,13]})")) << header;
  EXPECT_TRUE(contains(header, R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]})")) << header;
  EXPECT_EQ((bytes.size() - 13) % 8, 0u);
}

TEST(Safetensors, ReadsSmallTypesIntoLargerOnes) {
  const TempFolder folder;
  const auto read = [&](const std::string& dtype, const io::Bytes& data, size_t count) {
    const std::string header = text(R"({"x":{"dtype":")", dtype, R"(","shape":[)", count, R"(],"data_offsets":[0,)", data.size(), "]}}");
    return io::load_safetensors(put(folder / "f", file_of(header, data))).tensors.at(0).tensor;
  };
  EXPECT_EQ(read("I8", {0xff, 0x7f}, 2).to_vector<int64_t>(), (std::vector<int64_t>{-1, 127}));
  EXPECT_EQ(read("I16", {0xfe, 0xff}, 1).to_vector<int64_t>(), (std::vector<int64_t>{-2}));
  EXPECT_EQ(read("U16", {0xfe, 0xff}, 1).to_vector<int64_t>(), (std::vector<int64_t>{65534}));
  EXPECT_EQ(read("I32", {0, 0, 0, 0x80}, 1).to_vector<int64_t>(), (std::vector<int64_t>{-2147483648}));
  EXPECT_EQ(read("U32", {0xff, 0xff, 0xff, 0xff}, 1).to_vector<int64_t>(), (std::vector<int64_t>{4294967295}));
  EXPECT_EQ(read("BF16", {0x80, 0xbf, 0x49, 0x40}, 2).to_vector<float>(), (std::vector<float>{-1, 3.140625f}));
  // 1, -2, the largest, the smallest normal and the two ends of the subnormal numbers, -0, infinity, NaN.
  const Tensor half = read("F16", {0, 0x3c, 0, 0xc0, 0xff, 0x7b, 0, 0x04, 0xff, 0x03, 0x01, 0x80, 0, 0x80, 0, 0x7c, 0, 0x7e}, 9);
  EXPECT_EQ(half.dtype(), f32);
  const auto h = half.to_vector<float>();
  EXPECT_EQ(std::vector<float>(h.begin(), h.begin() + 6), (std::vector<float>{1, -2, 65504, 0x1p-14f, 0x1p-14f - 0x1p-24f, -0x1p-24f}));
  EXPECT_TRUE(h[6] == 0 && std::signbit(h[6]) && std::isinf(h[7]) && std::isnan(h[8]));
  // More than one piece of the buffer that conversions go through.
  const io::Bytes many((size_t{1} << 18) * 2 + 6, 0x01);
  const Tensor long_one = read("I16", many, many.size() / 2);
  EXPECT_EQ(long_one.to_vector<int64_t>(), std::vector<int64_t>(many.size() / 2, 257));
}

TEST(Safetensors, ReadsEscapesInNamesAndText) {
  const TempFolder folder;
  const std::string header =
      R"( {"__metadata__" : {"\u00e9\u4E2d\uD83d\ude00\/\b\f\n\r\t\"\\\u0000" : ""}, "a\u0041" : {"shape" : [ ], "dtype" : "U\u0038", "data_offsets" : [ 0 , 1 ] } } )";
  const io::SafetensorsFile file = io::load_safetensors(put(folder / "f", file_of(header.substr(1), {7})));
  EXPECT_EQ(file.metadata, (io::Metadata{{std::string("é中😀/\b\f\n\r\t\"\\\0", 18), ""}}));
  EXPECT_EQ(file.tensors.at(0).name, "aA");
}

TEST(Safetensors, SaveRefusesWhatTheFormatCantHold) {
  const TempFolder folder;
  const std::string path = put(folder / "f", "old");
  const Tensor x = Tensor::of(std::vector<float>{1}, {1});
  const auto save = [&](const std::vector<NamedTensor>& tensors, const io::Metadata& metadata = {}) {
    io::save_safetensors(path, tensors, metadata);
  };
  EXPECT_FAILS(save({{"a", x}, {"b", x}, {"a", x}}), path, "'a'", "twice");
  EXPECT_FAILS(save({{"__metadata__", x}}), path, "__metadata__");
  EXPECT_FAILS(save({{"a", x}, {"b", Tensor()}}), path, "'b'", "undefined");
  EXPECT_FAILS(save({{"\xff\xfe", x}}), path, "UTF-8");
  EXPECT_FAILS(save({}, {{"k", "\xc3"}}), path, "UTF-8");
  EXPECT_FAILS(save({{std::string(100'000'000, 'n'), x}}), path, "at most 100000000");
  EXPECT_EQ(io::read_file(path), bytes_of("old"));
  EXPECT_EQ(folder.count(), 1);
}

TEST(Safetensors, AFullDiskLeavesTheOldFile) {
  const TempFolder folder;
  const std::string path = folder / "f";
  io::save_safetensors(path, sample());
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{65536, 65536};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = message_of([&] {
      io::save_safetensors(path, std::vector<NamedTensor>{{"big", Tensor::of(std::vector<float>(1 << 20), {1 << 20})}});
    });
    ::_exit(contains(message, path) && contains(message, "File too large") ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  expect_same(io::load_safetensors(path).tensors, sample());
  EXPECT_EQ(folder.count(), 1);
}

TEST_F(SafetensorsError, CutShortAnywhere) {
  io::save_safetensors(path_, sample(), {{"k", "v"}});
  const io::Bytes whole = io::read_file(path_);
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_FAILS(io::load_safetensors(put(path_, io::ByteSpan(whole).first(length))), path_, "cut short");
  EXPECT_FAILS(io::load_safetensors(put(path_, whole + io::Bytes{0})), path_, "too long", "1 bytes");
}

TEST_F(SafetensorsError, DamagedBytesNeverCrash) {
  io::save_safetensors(path_, sample(), {{"k", "v"}});
  const io::Bytes whole = io::read_file(path_);
  for (size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      io::Bytes changed = whole;
      changed[i] ^= static_cast<uint8_t>(1 << bit);
      const std::string message = message_of([&] { io::load_safetensors(put(path_, changed)); });
      EXPECT_TRUE(message == nothing_thrown || contains(message, path_)) << message;
    }
}

TEST_F(SafetensorsError, HeaderLength) {
  EXPECT_FAILS(io::load_safetensors(folder_ / "none"), folder_ / "none", "No such file");
  EXPECT_FAILS(io::load_safetensors(put(path_, io::Bytes(8, 0xff))), path_, "100000000");
  EXPECT_FAILS(io::load_safetensors(put(path_, io::Bytes{16, 0, 0, 0, 0, 0, 0, 0, '{', '}'})), path_, "should take 16 bytes");
  EXPECT_FAILS(io::load_safetensors(put(path_, io::Bytes(8, 0))), path_, "'{'");
  // 100 MB that are there, with a hole in the file, are no header of one byte too many.
  put(path_, io::Bytes{0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0});
  ASSERT_EQ(::truncate(path_.c_str(), 200'000'000), 0);
  EXPECT_FAILS(io::load_safetensors(path_), path_, "longer than 100000000");
}

TEST_F(SafetensorsError, MalformedJson) {
  for (const char* header : {"{",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{}}",
                             "{} x",
                             "{\"a\":{\"dtype\":\"F32\",}}",
                             "{\"\xff\":1}",
                             "{\"a\":nul}",
                             "{'a':1}",
                             "{\"a\" 1}",
                             "{\"a\\x\":{}}",
                             "{\"a\\ud800\":{}}",
                             "{\"a\\u00g0\":{}}",
                             "{\"a\n\":{}}",
                             "{\"\xed\xa0\x80\":{}}",
                             "{\"\xc0\x80\":{}}",
                             "{\"a\":{\"shape\":[01]}}",
                             "{\"a\":{\"shape\":[1 2]}}",
                             "{,}",
                             "{\"a\":{\"dtype\":\"F32\""})
    expect(header, {"JSON"});
  expect("[]", {"'{'"});
  expect("null", {"'{'"});
  expect("", {"'{'"});
  expect(" {}", {"'{'"});
  std::string deep = "{\"a\":";
  for (int i = 0; i < 1'000'000; ++i) deep += "[{\"a\":";
  expect(deep, {"key 'a'", "an array"});
}

TEST_F(SafetensorsError, FieldsMissingUnknownOrTwice) {
  expect(R"({"x":{"shape":[2],"data_offsets":[0,8]}})", {"key 'x'", "no field 'dtype'"});
  expect(R"({"x":{"dtype":"F32","data_offsets":[0,8]}})", {"key 'x'", "no field 'shape'"});
  expect(R"({"x":{"dtype":"F32","shape":[2]}})", {"key 'x'", "no field 'data_offsets'"});
  expect(R"({"x":{}})", {"key 'x'", "no field"});
  expect(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}})", {"key 'x'", "unknown field 'more'"});
  expect(R"({"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", {"key 'x'", "'dtype' twice"});
  expect(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
         {"key 'x'", "given twice"});
  expect(R"({"__metadata__":{"a":"1","a":"2"}})", {"__metadata__", "'a' twice"}, 0);
  expect(R"({"__metadata__":{},"__metadata__":{}})", {"__metadata__", "given twice"}, 0);
}

TEST_F(SafetensorsError, WrongTypes) {
  for (const char* value : {"1", "null", "true", "\"s\"", "[]", "-1", "1.5"})
    expect(text("{\"x\":", value, "}"), {"key 'x'", "expected an object"}, 0);
  for (const char* value : {"1", "null", "true", "[]", "-1", "1.5", "{}"})
    expect(text("{\"__metadata__\":{\"k\":", value, "}}"), {"__metadata__", "'k'", "expected a string"}, 0);
  expect(R"({"__metadata__":"s"})", {"__metadata__", "expected an object"}, 0);
  const auto with = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return text("{\"x\":{\"dtype\":", dtype, ",\"shape\":", shape, ",\"data_offsets\":", offsets, "}}");
  };
  EXPECT_EQ(load(with("\"F32\"", "[2]", "[0,8]")), nothing_thrown);
  for (const char* value : {"1", "null", "[\"F32\"]", "{}", "true"}) expect(with(value, "[2]", "[0,8]"), {"key 'x'", "'dtype'", "expected a string"});
  for (const char* value : {"2", "null", "\"2\"", "{}", "true"}) {
    expect(with("\"F32\"", value, "[0,8]"), {"key 'x'", "'shape'", "array"});
    expect(with("\"F32\"", "[2]", value), {"key 'x'", "'data_offsets'", "array"});
  }
  for (const char* value : {"\"2\"", "null", "[2]", "{}", "2.0", "-2", "99999999999999999999999", "true"}) {
    expect(with("\"F32\"", text("[", value, "]"), "[0,8]"), {"key 'x'", "'shape'", "integers"});
    expect(with("\"F32\"", "[2]", text("[0,", value, "]")), {"key 'x'", "'data_offsets'", "integers"});
  }
}

TEST_F(SafetensorsError, TypesAndShapes) {
  const auto with = [](const std::string& dtype, const std::string& shape) {
    return text("{\"x\":{\"dtype\":\"", dtype, "\",\"shape\":", shape, ",\"data_offsets\":[0,8]}}");
  };
  for (const char* dtype : {"F8_E4M3", "C64", "f32", "", "F4"}) expect(with(dtype, "[1]"), {"key 'x'", text("'", dtype, "'"), "not supported"});
  expect(with("F32", "[3]"), {"key 'x'", "F32", "[3]", "8 bytes"});
  expect(with("F32", "[1]"), {"key 'x'", "[1]"});
  expect(with("F32", "[]"), {"key 'x'", "[]"});
  expect(with("F32", "[0]"), {"key 'x'", "[0]"});
  expect(with("F32", "[4294967296,4294967296]"), {"key 'x'", "doesn't take"});
  expect(with("F64", "[2305843009213693953]"), {"key 'x'", "doesn't take"});  // times 8 is 8, in 64 bits
  expect(with("U8", "[9223372036854775808]"), {"key 'x'", "out of range"});
  EXPECT_EQ(load(with("U8", "[1,1,1,1,1,1,2,4]")), nothing_thrown);
  expect(with("U8", "[1,1,1,1,1,1,1,2,4]"), {"key 'x'", "more than 8 axes"});
  EXPECT_EQ(load(R"({"x":{"dtype":"F64","shape":[1000000000000000000,0],"data_offsets":[0,0]}})", 0), nothing_thrown);
  expect(R"({"x":{"dtype":"F64","shape":[9000000000000000000,9000000000000000000,0],"data_offsets":[0,0]}})", {"key 'x'", "doesn't take"}, 0);
}

TEST_F(SafetensorsError, Offsets) {
  const auto with = [](const std::string& offsets) { return text(R"({"x":{"dtype":"U8","shape":[8],"data_offsets":)", offsets, "}}"); };
  expect(with("[]"), {"key 'x'", "0 data_offsets"});
  expect(with("[8]"), {"key 'x'", "1 data_offsets"});
  expect(with("[0,8,8]"), {"key 'x'", "more than 2"});
  expect(with("[8,0]"), {"key 'x'", "[8, 0)"});
  expect(with("[1,9]"), {"key 'x'", "[1, 9)"});
  expect(with("[18446744073709551608,0]"), {"key 'x'", "out of range"});
  expect(with("[9223372036854775800,9223372036854775807]"), {"key 'x'", "cut short"});
  expect(with("[1,9]"), {"key 'x'", "gap after byte 0"}, 9);
  expect(with("[0,8]"), {"too long", "2 bytes"}, 10);
  const auto two = [](const std::string& a, const std::string& b) {
    return text(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", a, R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", b, "}}");
  };
  EXPECT_EQ(load(two("[4,8]", "[0,4]")), nothing_thrown);
  expect(two("[0,4]", "[0,4]"), {"key 'b'", "overlaps"}, 4);
  expect(two("[0,4]", "[3,7]"), {"key 'b'", "overlaps"}, 7);
  expect(two("[0,4]", "[5,9]"), {"key 'b'", "gap after byte 4"}, 9);
  expect(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"e":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", {"key 'e'", "overlaps"}, 4);
  EXPECT_EQ(load(R"({"e":{"dtype":"U8","shape":[0],"data_offsets":[4,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4), nothing_thrown);
}

TEST_F(SafetensorsError, BooleanBytes) {
  const std::string header = R"({"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})";
  EXPECT_FAILS(io::load_safetensors(put(path_, file_of(header, {1, 0, 2}))), path_, "'mask'", "bool can't hold: number 2");
}

TEST_F(SafetensorsError, LongAndStrangeNamesAreShownShort) {
  const std::string message = load(text("{\"", std::string(100000, 'n'), "\\n\":1}"));
  EXPECT_LT(message.size(), 400u);
  EXPECT_EQ(load("{\"a\\nb\":1}").find('\n'), std::string::npos);
}
