#pragma once

// What the tests of all folders share.

#include <gtest/gtest.h>

#include <scry/core/function_ref.hpp>
#include <scry/core/parallel.hpp>
#include <scry/core/tensor.hpp>
#include <cstring>
#include <string>
#include <vector>

namespace scry::test {

inline constexpr const char* nothing_thrown = "nothing was thrown";

/// A function that tests keep in tables, in place of std::function, which takes four times as long to compile. Copies mean the same function, which
/// lives until the program ends.
template <class Signature>
class Kept;

inline void* keep(void* function) {
  static auto* all = new std::vector<void*>;  // never destroyed, so that a leak checker finds them here when the program ends
  return all->emplace_back(function);
}

template <class Result, class... Args>
class Kept<Result(Args...)> {
 public:
  Kept() = default;
  template <class F>
    requires(!std::is_same_v<F, Kept>)
  Kept(F function)
      : function_(keep(new F(std::move(function)))),
        call_([](void* kept, Args... args) -> Result { return (*static_cast<F*>(kept))(std::forward<Args>(args)...); }) {}
  Result operator()(Args... args) const { return call_(function_, std::forward<Args>(args)...); }
  explicit operator bool() const { return call_ != nullptr; }

 private:
  void* function_ = nullptr;
  Result (*call_)(void*, Args...) = nullptr;
};

/// The message of the Error that `function` throws, or nothing_thrown. Other exceptions pass.
inline std::string message_of(FunctionRef<void()> function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return nothing_thrown;
}

/// Expects `expression` to throw an Error whose message holds every one of the parts.
#define EXPECT_FAILS(expression, ...) ::scry::test::expect_fails([&] { (void)(expression); }, #expression, {__VA_ARGS__}, __FILE__, __LINE__)

inline void expect_fails(FunctionRef<void()> function, const char* expression, std::initializer_list<std::string> parts, const char* file, int line) {
  const std::string message = message_of(function);
  for (const std::string& part : parts)
    if (message.find(part) == std::string::npos) ADD_FAILURE_AT(file, line) << expression << ": '" << message << "' lacks '" << part << "'";
}

/// Another number of threads for as long as this lives.
class Threads {
 public:
  explicit Threads(int count) : before_(thread_count()) { set_thread_count(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { set_thread_count(before_); }

 private:
  int before_;
};

/// Whether both hold the same bits, type and shape, whatever their layout.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  return dispatch(a.dtype(), [&]<class T>() {
    using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;  // vectors of bool hold no bools
    const std::vector<Stored> x = a.to_vector<Stored>(), y = b.to_vector<Stored>();
    return x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(Stored)) == 0;
  });
}

/// Expects function() to give the same bits on one, two and three threads.
inline void expect_independent_of_threads(FunctionRef<Tensor()> function) {
  const Threads one(1);
  const Tensor expected = function();
  for (int count : {2, 3}) {
    const Threads more(count);
    EXPECT_TRUE(same_bits(function(), expected)) << count << " threads";
  }
}

/// Calls visit(index) for every index of a shape in row-major order.
template <class F>
void each_index(const Shape& shape, const F& visit) {
  std::vector<int64_t> index(static_cast<size_t>(shape.rank()), 0);
  for (int64_t i = 0; i < element_count(shape); ++i) {
    visit(std::span<const int64_t>(index));
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (++index[static_cast<size_t>(axis)] < shape[axis]) break;
      index[static_cast<size_t>(axis)] = 0;
    }
  }
}

/// The element of a tensor at an index; one of more axes is read as broadcasting does.
template <class T>
T& element(const Tensor& x, std::span<const int64_t> index) {
  int64_t offset = 0;
  const int lead = static_cast<int>(index.size()) - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x.shape()[axis] != 1) offset += index[static_cast<size_t>(lead + axis)] * x.strides()[axis];
  return static_cast<T*>(x.raw())[offset];
}
template <class T>
T& element(const Tensor& x, std::initializer_list<int64_t> index) {
  return element<T>(x, std::span(index.begin(), index.size()));
}

}  // namespace scry::test
