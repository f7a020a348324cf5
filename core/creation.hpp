#pragma once

#include <scry/core/tensor.hpp>
#include <concepts>
#include <optional>
#include <ranges>

namespace scry {

// New tensors. A value that the type cannot hold is converted as kernels::cast does.
Tensor full(const Shape& shape, double value, DType dtype = f32);
inline Tensor zeros(const Shape& shape, DType dtype = f32) { return full(shape, 0, dtype); }
inline Tensor ones(const Shape& shape, DType dtype = f32) { return full(shape, 1, dtype); }
/// start, start + step, … below (or, for a negative step, above) stop; computed as start + i step.
Tensor arange(double start, double stop, double step = 1, DType dtype = f32);
/// The same of integers, exactly.
Tensor arange_integers(int64_t start, int64_t stop, int64_t step = 1, DType dtype = i64);
template <std::integral Start, std::integral Stop, std::integral Step = int64_t>
Tensor arange(Start start, Stop stop, Step step = 1, DType dtype = i64) {
  return arange_integers(static_cast<int64_t>(start), static_cast<int64_t>(stop), static_cast<int64_t>(step), dtype);
}
/// 0, 1, … n - 1.
inline Tensor arange(int64_t n, DType dtype = i64) { return arange_integers(0, n, 1, dtype); }
/// `count` numbers at equal distances, the first `start` and the last `stop`.
Tensor linspace(double start, double stop, int64_t count, DType dtype = f32);
/// [rows, columns] (square by default) with 1 on the diagonal and 0 elsewhere.
Tensor eye(int64_t rows, int64_t columns = -1, DType dtype = f32);
/// A tensor of no axes.
inline Tensor scalar(double value, DType dtype = f32) { return full({}, value, dtype); }

// With the shape, the layout and (unless given) the type of another tensor.
Tensor empty_like(const Tensor& x, std::optional<DType> dtype = {});
Tensor full_like(const Tensor& x, double value, std::optional<DType> dtype = {});
inline Tensor zeros_like(const Tensor& x, std::optional<DType> dtype = {}) { return full_like(x, 0, dtype); }
inline Tensor ones_like(const Tensor& x, std::optional<DType> dtype = {}) { return full_like(x, 1, dtype); }

/// Numbers in nested braces, as `tensor` takes them.
class NestedValues {
 public:
  template <class T>
    requires std::is_arithmetic_v<T> NestedValues(T value)
        : dtype_(std::is_same_v<T, bool>      ? boolean
                 : std::is_same_v<T, uint8_t> ? u8
                 : std::is_integral_v<T>      ? i64
                                              : f32),
          number_(static_cast<double>(value)),
          integer_(std::is_integral_v<T> ? static_cast<int64_t>(value) : 0) {}
    NestedValues(std::initializer_list<NestedValues> list);

   private:
    friend Tensor tensor(const NestedValues& values, std::optional<DType> dtype);
    void write_to(Tensor& out, int64_t& next) const;

    Shape shape_;
    DType dtype_;
    double number_ = 0;
    int64_t integer_ = 0;
    std::vector<NestedValues> parts_;
};

/// The numbers as they stand: `tensor({{1.5, 2}, {3, 4}})` has shape [2, 2]. Their type is the common one: bool, u8, i64 for other integers,
/// f32 for floats. Rows of unequal lengths are an error.
Tensor tensor(const NestedValues& values, std::optional<DType> dtype = {});

/// A copy of row-major values in a vector, a span, an array, …; of one axis where no shape is given. int and other integers make i64.
template <std::ranges::sized_range Values>
  requires std::is_arithmetic_v<std::ranges::range_value_t<Values>> Tensor tensor(const Values& values, const std::optional<Shape>& shape = {}) {
    using From = std::ranges::range_value_t<Values>;
    using T = std::conditional_t<is_element<From>, From, std::conditional_t<std::is_integral_v<From>, int64_t, double>>;
    const auto count = static_cast<int64_t>(std::ranges::size(values));
    Tensor out = Tensor::empty(shape.value_or(Shape{count}), dtype_of<T>());
    require(out.numel() == count, "tensor: ", count, " values don't fill shape ", out.shape());
    T* to = out.template mutable_data<T>();
    for (const auto& value : values) *to++ = static_cast<T>(value);
    return out;
  }

}  // namespace scry
