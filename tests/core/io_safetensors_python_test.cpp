#include "core/io_support.hpp"

#include <scry/core/io/safetensors.hpp>

#include "python.hpp"

// The Python package safetensors, where it is installed, opens our files, and we open its.

using namespace scry;
using namespace scry::test;

namespace {

bool runs(const std::string& script, const std::string& path) { return run_python({script, path}); }

class SafetensorsPython : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = missing_in_python("numpy safetensors"); !why.empty()) GTEST_SKIP() << why;
  }
  TempFolder folder_;
  std::string path_ = folder_ / "f.safetensors";
};

}  // namespace

TEST_F(SafetensorsPython, OpensOurs) {
  const Tensor x = Tensor::of(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  Tensor mask = Tensor::empty({2}, boolean);
  mask.mutable_data<bool>()[0] = true;
  mask.mutable_data<bool>()[1] = false;
  io::save_safetensors(path_,
                       std::vector<NamedTensor>{{"bytes", Tensor::of(std::vector<uint8_t>{1, 255, 3}, {3})},
                                                {"mask", mask},
                                                {"x", x},
                                                {"turned é", Tensor::view(x.node().storage, 0, {3, 2}, {1, 3}, f32)},
                                                {"empty", Tensor::empty({0, 4}, f64)},
                                                {"step", Tensor::of(std::vector<int64_t>{-7}, {})},
                                                {"wide", Tensor::of(std::vector<double>{1e300, -0.1}, {2})}},
                       {{"format", "pt"}, {"note", "ünï\n\"\\"}});
  EXPECT_TRUE(runs(put(folder_ / "check.py", R"(
import sys, numpy as np
from safetensors import safe_open
with safe_open(sys.argv[1], "np") as f:
    assert f.metadata() == {"format": "pt", "note": "ünï\n\"\\"}, f.metadata()
    t = {k: f.get_tensor(k) for k in f.keys()}
x = np.arange(1, 7, dtype=np.float32).reshape(2, 3)
want = {"bytes": np.array([1, 255, 3], np.uint8), "mask": np.array([True, False]), "x": x, "turned é": x.T,
        "empty": np.zeros((0, 4)), "step": np.array(-7), "wide": np.array([1e300, -0.1])}
assert t.keys() == want.keys(), t.keys()
for k in want:
    assert t[k].dtype == want[k].dtype and t[k].shape == want[k].shape and (t[k] == want[k]).all(), (k, t[k])
)"),
                   path_));
  io::save_safetensors(path_, {});
  EXPECT_TRUE(runs(put(folder_ / "nothing.py", "import sys\nfrom safetensors.numpy import load_file\nassert load_file(sys.argv[1]) == {}\n"), path_));
}

TEST_F(SafetensorsPython, ItsOpenHere) {
  ASSERT_TRUE(runs(put(folder_ / "write.py", R"(
import sys, numpy as np
from safetensors.numpy import save_file
a = np.arange(-3, 3)
save_file({"f64": a / 3, "f32": (a / 3).astype(np.float32), "f16": (a / 3).astype(np.float16), "i64": a, "i32": a.astype(np.int32),
           "i16": a.astype(np.int16), "i8": a.astype(np.int8), "u8": a.astype(np.uint8), "u16": a.astype(np.uint16),
           "u32": a.astype(np.uint32), "bool": a > 0, "scalar": np.array(2.5), "empty": np.zeros((2, 0), np.float32),
           "odd é": np.ones((3, 1, 5), np.uint8)}, sys.argv[1], {"made": "by numpy"})
)"),
                   path_));
  const io::SafetensorsFile file = io::load_safetensors(path_);
  EXPECT_EQ(file.metadata, (io::Metadata{{"made", "by numpy"}}));
  EXPECT_EQ(file.tensors.size(), 14u);
  const auto find = [&](const std::string& name) {
    for (const NamedTensor& t : file.tensors)
      if (t.name == name) return t.tensor;
    return Tensor();
  };
  for (int i = -3; i < 3; ++i) {
    const auto at = static_cast<size_t>(i + 3);
    EXPECT_EQ(find("f64").to_vector<double>()[at], i / 3.0);
    EXPECT_EQ(find("f32").to_vector<float>()[at], static_cast<float>(i / 3.0));
    EXPECT_NEAR(find("f16").to_vector<float>()[at], i / 3.0, 5e-4);
    for (const char* name : {"i64", "i32", "i16", "i8"}) EXPECT_EQ(find(name).to_vector<int64_t>()[at], i) << name;
    EXPECT_EQ(find("u8").to_vector<int64_t>()[at], i & 0xff);
    EXPECT_EQ(find("u16").to_vector<int64_t>()[at], i & 0xffff);
    EXPECT_EQ(find("u32").to_vector<int64_t>()[at], i & 0xffffffffL);
    EXPECT_EQ(find("bool").to_vector<int64_t>()[at], i > 0);
  }
  EXPECT_EQ(find("scalar").shape(), Shape());
  EXPECT_EQ(find("scalar").item(), 2.5);
  EXPECT_EQ(find("empty").shape(), Shape({2, 0}));
  EXPECT_EQ(find("odd é").to_vector<int64_t>(), std::vector<int64_t>(15, 1));
}
