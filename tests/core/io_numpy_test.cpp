#include "core/io_support.hpp"

#include <scry/core/io/npy.hpp>
#include <scry/core/io/npz.hpp>

#include "python.hpp"

// NumPy, where it is installed, opens our files, and we open its.

using namespace scry;
using namespace scry::test;

namespace {

class Numpy : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = missing_in_python("numpy"); !why.empty()) GTEST_SKIP() << why;
  }
  // Runs a script that is told the test's folder.
  bool runs(const std::string& script) {
    return run_python({put(folder_ / "script.py", "import os, sys, numpy as np\nos.chdir(sys.argv[1])\n" + script), folder_.path()});
  }
  TempFolder folder_;
};

}  // namespace

TEST_F(Numpy, OpensOurs) {
  const Tensor x = Tensor::of(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  const std::vector<NamedTensor> tensors{{"bytes", Tensor::of(std::vector<uint8_t>{1, 255, 3}, {3})},
                                         {"x", x},
                                         {"deep/turned é", Tensor::view(x.node().storage, 0, {3, 2}, {1, 3}, f32)},
                                         {"empty", Tensor::empty({0, 4}, f64)},
                                         {"step", Tensor::of(std::vector<int64_t>{-7}, {})},
                                         {"wide", Tensor::of(std::vector<double>{1e300, -0.1}, {1, 2})}};
  io::save_npz(folder_ / "stored.npz", tensors);
  io::save_npz(folder_ / "packed.npz", tensors, {.compress = true});
  io::save_npy(folder_ / "x.npy", tensors[2].tensor);
  EXPECT_TRUE(runs(R"(
x = np.arange(1, 7, dtype=np.float32).reshape(2, 3)
want = {"bytes": np.array([1, 255, 3], np.uint8), "x": x, "deep/turned é": x.T, "empty": np.zeros((0, 4)), "step": np.array(-7),
        "wide": np.array([[1e300, -0.1]])}
def same(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape and (a == b).all(), (a, b)
for name in "stored.npz", "packed.npz":
    with np.load(name) as f:
        assert list(f.keys()) == list(want.keys()), list(f.keys())
        for k in want: same(f[k], want[k])
same(np.load("x.npy"), x.T)
import zipfile
assert zipfile.ZipFile("packed.npz").testzip() is None
)"));
}

TEST_F(Numpy, ItsOpenHere) {
  ASSERT_TRUE(runs(R"(
a = np.arange(-3, 3)
all = {t: a.astype(t) for t in ["float32", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "bool", ">i4", ">f8"]}
all |= {"scalar": np.array(2.5), "empty": np.zeros((2, 0), np.float32), "fortran": np.asfortranarray(np.arange(6.).reshape(2, 3)), "a/é": np.ones((3, 1, 5), np.uint8)}
np.savez("stored.npz", **all)
np.savez_compressed("packed.npz", **all)
np.save("fortran.npy", all["fortran"])
np.lib.format.write_array(open("v2.npy", "wb"), a, version=(2, 0))
np.lib.format.write_array(open("v3.npy", "wb"), a, version=(3, 0))
np.save("records.npy", np.zeros(2, [("a", "f4"), ("b", "i4")]))
np.save("objects.npy", np.array([None, 1], object), allow_pickle=True)
)"));
  for (const char* name : {"stored.npz", "packed.npz"}) {
    const std::vector<NamedTensor> tensors = io::load_npz(folder_ / name);
    EXPECT_EQ(tensors.size(), 16u);
    const auto find = [&](const std::string& wanted) {
      for (const NamedTensor& t : tensors)
        if (t.name == wanted) return t.tensor;
      return Tensor();
    };
    for (int i = -3; i < 3; ++i) {
      const auto at = static_cast<size_t>(i + 3);
      for (const char* type : {"float32", "float16", "int64", "int32", "int16", "int8", ">i4", ">f8"})
        EXPECT_EQ(find(type).to_vector<int64_t>()[at], i) << type;
      EXPECT_EQ(find("uint8").to_vector<int64_t>()[at], i & 0xff);
      EXPECT_EQ(find("uint16").to_vector<int64_t>()[at], i & 0xffff);
      EXPECT_EQ(find("uint32").to_vector<int64_t>()[at], i & 0xffffffffL);
      EXPECT_EQ(find("bool").to_vector<int64_t>()[at], i != 0);
    }
    EXPECT_EQ(find("scalar").item(), 2.5);
    EXPECT_EQ(find("empty").shape(), Shape({2, 0}));
    EXPECT_EQ(find("a/é").to_vector<int64_t>(), std::vector<int64_t>(15, 1));
    EXPECT_EQ(find("fortran").to_vector<int64_t>(), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  }
  EXPECT_EQ(io::load_npy(folder_ / "fortran.npy").to_vector<int64_t>(), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  for (const char* name : {"v2.npy", "v3.npy"}) EXPECT_EQ(io::load_npy(folder_ / name).numel(), 6);
  EXPECT_FAILS(io::load_npy(folder_ / "records.npy"), "records.npy", "fields");
  EXPECT_FAILS(io::load_npy(folder_ / "objects.npy"), "objects.npy", "'|O'", "not supported");
}
