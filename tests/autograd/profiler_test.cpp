// Times of ops, as a table and as a trace.

#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/profiler.hpp>
#include <scry/core/creation.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

std::string module_name(const void* name) { return static_cast<const char*>(name); }

void step() {
  const Tensor a = ones({200, 200}).requires_grad_();
  const autograd::Place here("part \"one\"", module_name);
  sum(matmul(a, a) * 2).backward();
}

TEST(Profiler, SeesForwardAndBackward) {
  Profiler profiler;
  step();
  std::map<std::string, int> forward, backward;
  for (const Profiler::Event& event : profiler.events()) {
    ++(event.backward ? backward : forward)[event.op];
    EXPECT_GE(event.start, 0);
    EXPECT_GE(event.duration, 0);
  }
  EXPECT_EQ(backward, (std::map<std::string, int>{{"matmul", 1}, {"mul", 1}, {"sum", 1}}));
  EXPECT_EQ(forward["matmul"], 1);
  EXPECT_EQ(forward["sum"], 1);
  EXPECT_EQ(profiler.events().front().module, "part \"one\"");
  EXPECT_EQ(profiler.events().front().shape, (Shape{200, 200}));
}

TEST(Profiler, TimesTheKernel) {
  const Tensor a = ones({400, 400}), b = ones({2});
  Profiler profiler;
  for (int i = 0; i < 3; ++i) matmul(a, a);
  b * 2;
  const auto events = profiler.events();
  ASSERT_EQ(events.size(), 4u);
  EXPECT_GT(events[0].duration, 20'000);  // 64 million multiply-adds take longer than that
  EXPECT_LE(events[0].start + events[0].duration, events[1].start);
}

TEST(Profiler, TableAndTrace) {
  Profiler profiler;
  step();
  const std::string table = profiler.table();
  EXPECT_EQ(table.substr(0, 2), "op");
  for (const char* name : {"matmul backward", "\nmatmul ", "sum backward", "own ms", "calls"}) EXPECT_NE(table.find(name), std::string::npos) << name;
  const std::string path = ::testing::TempDir() + "scry_profiler_trace.json";
  profiler.write_trace(path);
  std::ifstream file(path);
  const std::string trace((std::istreambuf_iterator<char>(file)), {});
  std::filesystem::remove(path);
  EXPECT_EQ(std::count(trace.begin(), trace.end(), '{') - 1, 2 * static_cast<int64_t>(profiler.events().size()));
  EXPECT_EQ(std::count(trace.begin(), trace.end(), '{'), std::count(trace.begin(), trace.end(), '}'));
  EXPECT_NE(trace.find("{\"name\": \"matmul\", \"cat\": \"forward\", \"ph\": \"X\""), std::string::npos);
  EXPECT_NE(trace.find("\"module\": \"part \\\"one\\\"\", \"shape\": \"[200, 200]\""), std::string::npos);
  EXPECT_FAILS(profiler.write_trace("/nowhere/trace.json"), "/nowhere");
}

TEST(Profiler, EndsWithItsScope) {
  {
    Profiler outer;
    {
      Profiler inner;
      ones({2}) * 2;
      EXPECT_EQ(inner.events().size(), 1u);
    }
    ones({2}) * 2;
    EXPECT_EQ(outer.events().size(), 2u);
  }
  ones({2}) * 2;
}

}  // namespace
}  // namespace scry
