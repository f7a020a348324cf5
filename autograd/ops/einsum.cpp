#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/einsum.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <algorithm>
#include <array>

namespace scry {
namespace {

// A letter for each axis; those of "..." are '0' (the first), '1', … A set of letters is a string without repetitions.
using Labels = std::string;

bool has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Operand {
  Tensor values;
  Labels labels;
};

struct Equation {
  std::string_view text;
  std::vector<Labels> inputs;
  Labels output;
  int broadcast = 0;                 // axes that "..." stands for, at most
  std::array<int64_t, 128> sizes{};  // of each label
};

// One term with "..." written out as the last `broadcast` of the broadcast axes.
Labels read_term(const Equation& equation, std::string_view term, int broadcast) {
  Labels labels;
  for (size_t i = 0; i < term.size(); ++i) {
    if (term[i] == ' ') continue;
    if (term.substr(i, 3) == "...") {
      for (int axis = equation.broadcast - broadcast; axis < equation.broadcast; ++axis) labels += static_cast<char>('0' + axis);
      i += 2;
      continue;
    }
    require(is_letter(term[i]), "einsum: '", term.substr(i, 1), "' in \"", equation.text, "\" is not a letter, \"...\", ',' or \"->\"");
    labels += term[i];
  }
  return labels;
}

std::vector<std::string_view> split_terms(std::string_view inputs) {
  std::vector<std::string_view> terms;
  for (;;) {
    const size_t comma = inputs.find(',');
    terms.push_back(inputs.substr(0, comma));
    if (comma == std::string_view::npos) return terms;
    inputs.remove_prefix(comma + 1);
  }
}

// How many axes "..." stands for in a term.
int broadcast_axes(std::string_view text, std::string_view term, const Tensor& x) {
  const size_t dots = term.find("...");
  const auto letters = static_cast<int>(std::count_if(term.begin(), term.end(), is_letter));
  require(dots == std::string_view::npos || term.find("...", dots + 3) == std::string_view::npos, "einsum: \"", term, "\" in \"", text,
          "\" has \"...\" twice");
  const bool fits = dots == std::string_view::npos ? letters == x.rank() : letters <= x.rank();
  require(fits, "einsum: \"", term, "\" in \"", text, "\" names ", letters, " axes of an operand of shape ", x.shape());
  return x.rank() - letters;
}

void set_sizes(Equation& equation, std::span<const Tensor> operands) {
  equation.sizes.fill(-1);
  for (size_t i = 0; i < operands.size(); ++i) {
    for (int axis = 0; axis < operands[i].rank(); ++axis) {
      const char label = equation.inputs[i][static_cast<size_t>(axis)];
      int64_t& size = equation.sizes[static_cast<size_t>(label)];
      const int64_t here = operands[i].shape()[axis];
      require(size < 0 || size == here || size == 1 || here == 1, "einsum: '", is_letter(label) ? std::string(1, label) : "...", "' in \"",
              equation.text, "\" has size ", size, " and, in an operand of shape ", operands[i].shape(), ", ", here);
      if (size < 0 || size == 1) size = here;
    }
  }
}

Equation parse(std::string_view text, std::span<const Tensor> operands) {
  Equation equation;
  equation.text = text;
  const size_t arrow = text.find("->");
  const std::vector<std::string_view> terms = split_terms(text.substr(0, arrow));
  require(terms.size() == operands.size(), "einsum: \"", text, "\" is for ", terms.size(), " operands, got ", operands.size());
  std::vector<int> broadcast;
  for (size_t i = 0; i < terms.size(); ++i) {
    broadcast.push_back(broadcast_axes(text, terms[i], operands[i]));
    equation.broadcast = std::max(equation.broadcast, broadcast.back());
  }
  Labels all;
  for (size_t i = 0; i < terms.size(); ++i) {
    equation.inputs.push_back(read_term(equation, terms[i], broadcast[i]));
    all += equation.inputs.back();
  }
  set_sizes(equation, operands);
  if (arrow != std::string_view::npos) {
    equation.output = read_term(equation, text.substr(arrow + 2), equation.broadcast);
    for (char label : equation.output) {
      require(has(all, label), "einsum: '", std::string(1, label), "' of the result of \"", text, "\" is in no operand");
      require(std::count(equation.output.begin(), equation.output.end(), label) == 1, "einsum: '", std::string(1, label),
              "' occurs twice in the result of \"", text, "\"");
    }
  } else {
    std::sort(all.begin(), all.end());  // the digits of "..." come first
    for (char label : all)
      if (!has(equation.output, label) && (!is_letter(label) || std::count(all.begin(), all.end(), label) == 1)) equation.output += label;
  }
  return equation;
}

// x[..., i, ..., i, ...]: axis `second` moves along with `first` and disappears; and the reverse, into zeros.
Tensor diagonal_view(const Tensor& x, int first, int second) {
  Shape shape = x.shape(), strides = x.strides();
  strides[first] += strides[second];
  shape.erase(second);
  strides.erase(second);
  return Tensor::view(x.node().storage, x.node().offset, shape, strides, x.dtype());
}

Tensor spread_diagonal(const Tensor& g, int first, int second);

Tensor take_diagonal(const Tensor& x, int first, int second) {
  return autograd::record("einsum_diagonal")(diagonal_view(x, first, second), autograd::wrt(x, spread_diagonal, first, second));
}

Tensor spread_diagonal(const Tensor& g, int first, int second) {
  const autograd::Recorder recorder = autograd::record("einsum_spread");
  Shape shape = g.shape();
  shape.insert(second, g.shape()[first]);
  const Tensor out = zeros(shape, g.dtype());
  kernels::copy_into(diagonal_view(out, first, second), g);
  return recorder(out, autograd::wrt(g, take_diagonal, first, second));
}

// The operand without repeated labels, and without axes of size 1 that are to broadcast.
Operand simplified(const Equation& equation, const Tensor& x, Labels labels) {
  Tensor values = x;
  for (size_t i = labels.size(); i-- > 0;) {
    const auto axis = static_cast<int>(i);
    if (values.shape()[axis] == 1 &&
        (equation.sizes[static_cast<size_t>(labels[i])] > 1 || std::count(labels.begin(), labels.end(), labels[i]) > 1)) {
      values = squeeze(values, axis);
      labels.erase(i, 1);
    } else if (const size_t first = labels.find(labels[i]); first < i && values.shape()[static_cast<int>(first)] > 1) {
      values = take_diagonal(values, static_cast<int>(first), axis);
      labels.erase(i, 1);
    }
  }
  return {values, labels};
}

Operand sum_out(Operand x, const Labels& wanted) {
  std::vector<int> axes;
  Labels kept;
  for (size_t i = 0; i < x.labels.size(); ++i) {
    if (has(wanted, x.labels[i]))
      kept += x.labels[i];
    else
      axes.push_back(static_cast<int>(i));
  }
  if (axes.empty()) return x;
  return {sum(x.values, AxesArgument(axes)), kept};
}

// The axes in the order of `labels`, which are the operand's own.
Tensor arranged(const Operand& x, const Labels& labels) {
  if (x.labels == labels) return x.values;
  std::vector<int> order;
  for (char label : labels) order.push_back(static_cast<int>(x.labels.find(label)));
  return permute(x.values, order);
}

int64_t count_of(const Equation& equation, const Labels& labels) {
  int64_t count = 1;
  for (char label : labels) count *= equation.sizes[static_cast<size_t>(label)];
  return count;
}

// The product of two operands, summed over the labels that aren't wanted any more.
Operand contract(const Equation& equation, Operand a, Operand b, const Labels& wanted) {
  a = sum_out(std::move(a), wanted + b.labels);
  b = sum_out(std::move(b), wanted + a.labels);
  Labels batch, summed, left, right;
  for (char label : a.labels) (!has(b.labels, label) ? left : has(wanted, label) ? batch : summed) += label;
  for (char label : b.labels)
    if (!has(a.labels, label)) right += label;
  const Labels labels = batch + left + right;
  require(labels.size() <= Shape::max_rank, "einsum: \"", equation.text, "\" has a product of ", labels.size(), " axes; at most ", Shape::max_rank,
          " are possible");
  const int64_t batches = count_of(equation, batch), m = count_of(equation, left), k = count_of(equation, summed), n = count_of(equation, right);
  const Tensor x = reshape(arranged(a, batch + left + summed), {batches, m, k});
  const Tensor y =
      summed.empty() ? reshape(arranged(b, batch + right), {batches, 1, n}) : reshape(arranged(b, batch + summed + right), {batches, k, n});
  const Tensor product = summed.empty() ? x * y : batches == 1 ? matmul(squeeze(x, 0), squeeze(y, 0)) : matmul(x, y);
  Shape shape;
  for (char label : labels) shape.push_back(equation.sizes[static_cast<size_t>(label)]);
  return {reshape(product, shape), labels};
}

}  // namespace

Tensor einsum(std::string_view subscripts, std::span<const Tensor> operands) {
  require(!operands.empty(), "einsum: no operands for \"", subscripts, "\"");
  DType dtype = f32;
  for (const Tensor& x : operands) {
    autograd::require_floating("einsum", x);
    dtype = promote(dtype, x.dtype());
  }
  const Equation equation = parse(subscripts, operands);
  Operand result;
  for (size_t i = 0; i < operands.size(); ++i) {
    Operand next = simplified(equation, cast(operands[i], dtype), equation.inputs[i]);
    Labels wanted = equation.output;
    for (size_t later = i + 1; later < operands.size(); ++later) wanted += equation.inputs[later];
    result = i == 0 ? sum_out(std::move(next), wanted) : contract(equation, std::move(result), std::move(next), wanted);
  }
  return arranged(sum_out(std::move(result), equation.output), equation.output);
}

Tensor einsum(std::string_view subscripts, std::initializer_list<Tensor> operands) {
  return einsum(subscripts, std::span(operands.begin(), operands.size()));
}

}  // namespace scry
