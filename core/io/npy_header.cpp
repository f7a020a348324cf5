#include <scry/core/io/npy_format.hpp>

#include <algorithm>
#include <charconv>

namespace scry::io {
namespace {

// The one kind of dictionary that NumPy writes: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. Python is not run.
class Parser {
 public:
  Parser(std::string_view dictionary, const std::string& what) : all_(dictionary), rest_(dictionary), what_(what) {}

  NpyHeader parse() {
    NpyHeader header;
    unsigned seen = 0;
    expect('{');
    while (!take('}')) {
      const std::string_view key = string("a key");
      const auto* field = std::find(std::begin(fields), std::end(fields), key);
      require(field != std::end(fields), what_, ": its header has an unknown field '", shown(key), "'");
      const unsigned bit = 1u << (field - std::begin(fields));
      require(!(seen & bit), what_, ": its header has the field '", key, "' twice");
      seen |= bit;
      expect(':');
      if (key == "descr")
        read_type(header);
      else if (key == "shape")
        read_shape(header.shape);
      else
        header.fortran_order = truth();
      if (take(',')) continue;
      expect('}');
      break;
    }
    for (size_t i = 0; i < std::size(fields); ++i) require(seen & (1u << i), what_, ": its header has no field '", fields[i], "'");
    skip_space();
    if (!rest_.empty()) unexpected("the end");
    return header;
  }

 private:
  static constexpr std::string_view fields[] = {"descr", "fortran_order", "shape"};

  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  [[noreturn]] void unexpected(std::string_view expected) const {
    fail(what_, ": its header is damaged at character ", all_.size() - rest_.size(), ": expected ", expected, ", got ",
         rest_.empty() ? "the end" : text("'", shown(rest_.substr(0, 12)), "'"));
  }
  bool take(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool take(char c) { return take(std::string_view(&c, 1)); }
  void expect(char c) {
    if (!take(c)) unexpected(text("'", std::string_view(&c, 1), "'"));
  }
  std::string_view string(std::string_view expected) {
    skip_space();
    const char quote = rest_.empty() ? '\0' : rest_[0];
    const size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : rest_.npos;
    if (end == rest_.npos) unexpected(text(expected, " in quotes"));
    const std::string_view value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return value;
  }
  bool truth() {
    if (take("True")) return true;
    if (!take("False")) unexpected("True or False");
    return false;
  }
  void read_type(NpyHeader& header) {
    skip_space();
    require(!rest_.starts_with('['), what_, ": holds records with fields, which are not supported; save each field by itself");
    const std::string_view name = string("a type");
    const bool ordered = !name.empty() && std::string_view("<>|=").find(name[0]) != std::string_view::npos;
    const std::string_view kind = name.substr(ordered ? 1 : 0);
    const auto types = element_types();
    const auto type = std::find_if(types.begin(), types.end(), [&](const ElementType& t) { return !t.npy.empty() && t.npy == kind; });
    require(type != types.end(), what_, ": holds elements of the type '", shown(name),
            "', which are not supported; float64, float32, float16, bool and the integers are");
    header.type = &*type;
    header.big_endian = name[0] == '>' && type->bytes > 1;
  }
  void read_shape(Shape& shape) {
    expect('(');
    while (!take(')')) {
      skip_space();
      int64_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      require(error != std::errc::result_out_of_range, what_, ": its shape has a size that is out of range");
      if (error != std::errc{} || size < 0) unexpected("a size, 0 or more");
      require(shape.rank() < Shape::max_rank, what_, ": has more than ", Shape::max_rank, " axes");
      shape.push_back(size);
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      take('L');  // as Python 2 wrote long integers
      if (take(',')) continue;
      expect(')');
      break;
    }
  }

  std::string_view all_, rest_;
  const std::string& what_;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view dictionary, const std::string& what) { return Parser(dictionary, what).parse(); }

std::string format_npy_header(const Tensor& tensor) {
  std::string shape;
  for (int64_t size : tensor.shape()) shape += text(size, ", ");
  if (tensor.rank() > 1) shape.resize(shape.size() - 2);  // Python's tuples of one have a comma
  if (tensor.rank() == 1) shape.pop_back();
  const ElementType& type = stored_as(tensor.dtype());
  std::string dictionary = text("{'descr': '", type.bytes == 1 ? "|" : "<", type.npy, "', 'fortran_order': False, 'shape': (", shape, "), }");
  constexpr size_t before = 10;
  dictionary.resize((before + dictionary.size()) / 64 * 64 + 63 - before, ' ');  // elements begin at a multiple of 64
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

}  // namespace scry::io
