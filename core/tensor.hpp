#pragma once

#include <scry/core/dtype.hpp>
#include <scry/core/index.hpp>
#include <scry/core/shape.hpp>
#include <scry/core/storage.hpp>
#include <string>
#include <vector>

namespace scry {

/// What a tensor knows of the tape; autograd derives from it, core only keeps it alive.
class TapeNode : public RefCounted<TapeNode> {
 public:
  virtual void dispose() = 0;

 protected:
  ~TapeNode() = default;
};

/// What a Tensor points to. Strides and the offset count elements.
struct TensorNode : RefCounted<TensorNode> {
  TensorNode(const Shape& sizes, DType type) : shape(sizes), dtype(type) {}

  Ref<Storage> storage;
  int64_t offset = 0;
  int64_t count = 0;
  Shape shape;
  Shape strides;
  DType dtype = f32;
  bool contiguous = true;  // row-major and dense
  Ref<TapeNode> tape;      // set where a gradient is asked for: on leaves and on what was computed from them

  void dispose();
};

/// A strided array of one element type, by reference: copies look at the same node, and views share its storage.
/// Operations are free functions (`relu(x)`, `sum(x)`); members tell what the tensor is and where it stands on the tape.
class Tensor {
 public:
  /// Undefined: `defined()` is false and nothing else may be asked.
  Tensor() = default;

  /// A new tensor, contents unspecified. With `strides` (elements) its layout is theirs; they must be dense.
  static Tensor empty(const Shape& shape, DType dtype = f32);
  static Tensor empty_strided(const Shape& shape, const Shape& strides, DType dtype);
  /// A view of `storage` as it lies there; it must reach no further than the storage.
  static Tensor view(Ref<Storage> storage, int64_t offset, const Shape& shape, const Shape& strides, DType dtype);
  /// Row-major memory that belongs to somebody else, without a copy; `owner` is kept as long as it is looked at.
  template <class T>
  static Tensor borrow(T* data, const Shape& shape, std::shared_ptr<const void> owner) {
    const auto bytes = static_cast<size_t>(element_count(shape)) * sizeof(T);
    return view(Storage::borrow(data, bytes, std::move(owner)), 0, shape, row_major_strides(shape), dtype_of<T>());
  }
  /// A copy of row-major values.
  template <class T>
  static Tensor of(const std::vector<T>& values, const Shape& shape) {
    return copy_of(values.data(), values.size(), shape, dtype_of<T>());
  }

  bool defined() const { return static_cast<bool>(node_); }
  const Shape& shape() const { return node().shape; }
  const Shape& strides() const { return node().strides; }
  int rank() const { return node().shape.rank(); }
  /// The size of one axis; negative ones count from the back.
  int64_t size(int axis) const { return node().shape[wrap_axis("size", axis, rank())]; }
  /// The number of elements.
  int64_t numel() const { return node().count; }
  DType dtype() const { return node().dtype; }
  /// Whether the elements lie row-major without gaps.
  bool is_contiguous() const { return node().contiguous; }

  /// The first element; others lie at multiples of the strides. T must be the tensor's element type.
  template <class T>
  const T* data() const {
    check_dtype(dtype_of<T>());
    return static_cast<const T*>(raw());
  }
  /// As data(), for writing; the tape is told that the values change.
  template <class T>
  T* mutable_data() {
    check_dtype(dtype_of<T>());
    node().storage->bump_version();
    return static_cast<T*>(raw());
  }
  /// The first element, whatever its type.
  void* raw() const { return node().storage->data() + static_cast<size_t>(node().offset) * size_of(node().dtype); }

  /// The only element of a one-element tensor, converted.
  template <class T = double>
  T item() const {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      return static_cast<T>(single_integer());
    else
      return static_cast<T>(single_value());
  }
  /// All elements in row-major order, converted.
  template <class T>
  std::vector<T> to_vector() const {
    std::vector<T> values(static_cast<size_t>(numel()));
    copy_values(values.data(), dtype_of<T>());
    return values;
  }

  /// Whether gradients flow to this tensor.
  bool requires_grad() const { return static_cast<bool>(node().tape); }

  /// The same values without a place on the tape.
  Tensor detach() const;
  // The members from here to backward() are defined in autograd.
  /// Makes this tensor a leaf whose gradient is kept, or takes it off the tape. f32 and f64 only; not for computed tensors. Returns it.
  Tensor requires_grad_(bool on = true) const;
  /// Has backward() keep the gradient of this computed tensor too; leaves keep theirs anyway.
  void retain_grad() const;
  /// The gradient accumulated in this tensor by backward(); undefined where there is none, and for computed tensors without retain_grad().
  Tensor grad() const;
  /// x[i], x[i][j]: the slice at `index` of the first axis, a view.
  Tensor operator[](int64_t index) const;
  /// The part at one index an axis, a view: `x.at({Slice{1, 5, 2}, 3, ellipsis, newaxis})` is NumPy's `x[1:5:2, 3, ..., None]`. A position
  /// takes its axis away; axes that are not named come whole.
  Tensor at(std::span<const Index> indices) const;
  Tensor at(std::initializer_list<Index> indices) const { return at(std::span(indices.begin(), indices.size())); }
  /// Adds the derivatives of this tensor, times `gradient`, to the gradients of the leaves that it was computed from. `gradient` has this
  /// tensor's shape and may be left out for a single element. Frees the graph unless `retain_graph`, or `create_graph`, which records the
  /// gradients' own computation.
  void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false) const;

  TensorNode& node() const {
    require(defined(), "tensor: this one is undefined; assign it before it is used");
    return *node_;
  }
  friend bool same_node(const Tensor& a, const Tensor& b) { return a.node_ == b.node_; }

 private:
  explicit Tensor(Ref<TensorNode> node) : node_(std::move(node)) {}
  static Tensor copy_of(const void* values, size_t count, const Shape& shape, DType dtype);
  void check_dtype(DType asked) const {
    require(asked == dtype(), "data: the tensor holds ", dtype(), ", asked for as ", asked, "; convert with cast(x, ", asked, ")");
  }
  double single_value() const;
  int64_t single_integer() const;
  void copy_values(void* out, DType dtype) const;

  Ref<TensorNode> node_;
};

/// A tensor and what a model calls it: how models, registries and files speak of tensors to each other.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

}  // namespace scry
