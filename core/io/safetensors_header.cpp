#include <scry/core/io/file.hpp>
#include <scry/core/io/safetensors_header.hpp>

#include <algorithm>
#include <set>

namespace scry::io {
namespace {

constexpr std::string_view metadata_key = "__metadata__";

// The bytes of the UTF-8 character at the start of `rest`; 0 where there is none.
size_t utf8_bytes(std::string_view rest) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(rest[i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
  if (length > rest.size()) return 0;
  uint32_t code = length == 1 ? first : first & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

// How many bytes at the start of `rest` are UTF-8 that stands for itself in a JSON string.
size_t plain_bytes(std::string_view rest) {
  size_t at = 0;
  while (at < rest.size()) {
    if (const auto c = static_cast<unsigned char>(rest[at]); c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
      ++at;
    else if (const size_t bytes = c < 0x80 ? 0 : utf8_bytes(rest.substr(at)); bytes > 0)
      at += bytes;
    else
      break;
  }
  return at;
}

void append_utf8(std::string& out, uint32_t code) {
  const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr uint32_t lead[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(lead[more] | code >> 6 * more);
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> 6 * i & 0x3f));
}

// Reads the JSON of a header as it comes: {name: {"dtype": string, "shape": [integers], "data_offsets": [2 integers]}, …}, and strings of strings
// under "__metadata__". Nothing else is JSON to it, so it needs no recursion, and notices names that are given twice.
class HeaderReader {
 public:
  HeaderReader(std::string_view json, const std::string& path) : json_(json), path_(path) {}

  SafetensorsHeader read() {
    std::set<std::string> names;
    members([&](const std::string& name) {
      name_ = name;
      require(names.insert(name).second, where(), "is given twice");
      if (next() != '{') fail(where(), "is ", what_follows(), "; expected an object");
      if (name == metadata_key)
        read_metadata();
      else
        read_tensor();
    });
    next();
    if (at_ < json_.size()) malformed("something follows its end");
    return std::move(header_);
  }

 private:
  void read_metadata() {
    members([&](const std::string& key) {
      if (next() != '"') fail(where(), "has ", what_follows(), " for '", shown(key), "'; expected a string");
      require(header_.metadata.emplace(key, string()).second, where(), "has the field '", shown(key), "' twice");
    });
  }

  void read_tensor() {
    constexpr std::string_view fields[] = {"dtype", "shape", "data_offsets"};
    SafetensorsEntry& entry = header_.entries.emplace_back();
    entry.name = name_;
    unsigned seen = 0;
    members([&](const std::string& key) {
      const auto field = std::find(std::begin(fields), std::end(fields), key) - std::begin(fields);
      require(field < 3, where(), "has an unknown field '", shown(key), "'");
      require(!(seen & 1u << field), where(), "has the field '", key, "' twice");
      seen |= 1u << field;
      if (next() != (field == 0 ? '"' : '['))
        fail(where(), "has ", what_follows(), " for '", key, "'; expected ", field == 0 ? "a string" : "an array of integers");
      if (field == 0)
        entry.dtype = string();
      else if (field == 1)
        for (const int64_t size : integers(key, Shape::max_rank, "axes")) entry.shape.push_back(size);
      else
        read_offsets(entry, integers(key, 2, "data_offsets"));
    });
    for (size_t i = 0; i < std::size(fields); ++i) require(seen & 1u << i, where(), "has no field '", fields[i], "'");
  }

  void read_offsets(SafetensorsEntry& entry, const std::vector<int64_t>& offsets) const {
    require(offsets.size() == 2, where(), "has ", offsets.size(), " data_offsets; expected 2");
    entry.begin = static_cast<uint64_t>(offsets[0]);
    entry.end = static_cast<uint64_t>(offsets[1]);
  }

  // Calls member(name) at the value of each member of the object that begins here.
  template <class Member>
  void members(const Member& member) {
    expect('{');
    if (take('}')) return;
    do {
      if (next() != '"') malformed("expected a name in quotes");
      const std::string name = string();
      expect(':');
      member(name);
    } while (take(','));
    expect('}');
  }

  std::vector<int64_t> integers(const std::string& field, size_t most, const char* of_what) {
    std::vector<int64_t> out;
    expect('[');
    if (take(']')) return out;
    do {
      require(out.size() < most, where(), "has more than ", most, " ", of_what);
      out.push_back(integer(field));
    } while (take(','));
    expect(']');
    return out;
  }

  int64_t integer(const std::string& field) {
    const auto is_digit = [&] { return at_ < json_.size() && json_[at_] >= '0' && json_[at_] <= '9'; };
    next();
    if (!is_digit()) fail(where(), "has ", what_follows(), " in '", field, "'; expected integers, 0 or more");
    if (json_[at_] == '0' && at_ + 1 < json_.size() && json_[at_ + 1] >= '0' && json_[at_ + 1] <= '9') malformed("a number begins with 0");
    int64_t value = 0;
    for (; is_digit(); ++at_)
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, json_[at_] - '0', &value))
        fail(where(), "has a number in '", field, "' that is out of range; expected integers below 2^63");
    if (at_ < json_.size() && (json_[at_] == '.' || json_[at_] == 'e' || json_[at_] == 'E'))
      fail(where(), "has a fraction in '", field, "'; expected integers, 0 or more");
    return value;
  }

  // The string in quotes that begins here.
  std::string string() {
    std::string out;
    for (++at_;;) {
      const std::string_view rest = json_.substr(at_);
      const size_t bytes = plain_bytes(rest);
      out += rest.substr(0, bytes);
      at_ += bytes;
      if (bytes == rest.size()) malformed("a string doesn't end");
      if (const char c = rest[bytes]; c == '"') {
        ++at_;
        return out;
      } else if (c == '\\') {
        ++at_;
        append_escaped(out);
        ++at_;
      } else {
        malformed(static_cast<unsigned char>(c) < 0x20 ? "a string holds a control character" : "a string isn't UTF-8");
      }
    }
  }

  // What follows a backslash; ends at its last character.
  void append_escaped(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const char c = at_ < json_.size() ? json_[at_] : '\0';
    if (c != 'u') {
      const size_t letter = letters.find(c);
      if (letter == letters.npos) malformed("an unknown escape in a string");
      out += meanings[letter];
      return;
    }
    uint32_t code = hexadecimal();
    if (code >= 0xd800 && code < 0xdc00 && json_.substr(at_ + 1, 2) == "\\u") {
      at_ += 2;
      const uint32_t low = hexadecimal();
      code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00)) : code;
    }
    if (code >= 0xd800 && code < 0xe000) malformed("half a surrogate pair in a string");
    append_utf8(out, code);
  }

  // The four digits after the u here; ends at the last one.
  uint32_t hexadecimal() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      constexpr std::string_view digits = "0123456789abcdef";
      const char c = ++at_ < json_.size() ? json_[at_] : ' ';
      const size_t digit = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
      if (digit == digits.npos) malformed("four hexadecimal digits must follow \\u");
      code = code << 4 | static_cast<uint32_t>(digit);
    }
    return code;
  }

  // The next character that isn't space; 0 at the end.
  char next() {
    at_ = std::min(json_.find_first_not_of(" \t\n\r", at_), json_.size());
    return at_ < json_.size() ? json_[at_] : '\0';
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) malformed("expected '" + std::string(1, c) + "'");
  }

  // Names the value that stands where another was expected.
  const char* what_follows() const {
    const std::string_view rest = json_.substr(at_);
    for (const char* word : {"null", "true", "false"})
      if (rest.starts_with(word)) return word;
    switch (rest.empty() ? '\0' : rest.front()) {
      case '{': return "an object";
      case '[': return "an array";
      case '"': return "a string";
      case '-': return "a negative number";
      default: break;
    }
    if (rest.empty() || rest.front() < '0' || rest.front() > '9') malformed("expected a value");
    return "a number";
  }
  [[noreturn]] void malformed(std::string_view why) const { fail(path_, ": the header is not valid JSON at byte ", 8 + at_, ": ", why); }
  std::string where() const { return text(path_, ": key '", shown(name_), "' "); }

  std::string_view json_;
  const std::string& path_;
  size_t at_ = 0;
  SafetensorsHeader header_;
  std::string name_;  // of the member that is being read
};

// A JSON string.
std::string quoted(std::string_view value, const std::string& path) {
  std::string out = "\"";
  for (std::string_view rest = value;;) {
    const size_t bytes = plain_bytes(rest);
    out += rest.substr(0, bytes);
    if (bytes == rest.size()) return out + '"';
    const auto c = static_cast<unsigned char>(rest[bytes]);
    require(c < 0x80, path, ": '", shown(value), "' is not UTF-8, as names and metadata in a safetensors file must be");
    if (c < 0x20)
      out += text("\\u00", c >> 4, std::string_view("0123456789abcdef").substr(c & 15, 1));
    else
      out += {'\\', rest[bytes]};
    rest.remove_prefix(bytes + 1);
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& path) {
  require(json.starts_with('{'), path, ": the header doesn't begin with '{'; this is not a safetensors file");
  return HeaderReader(json, path).read();
}

std::string format_safetensors_header(const SafetensorsHeader& header, const std::string& path) {
  std::string out = "{";
  const auto separate = [&] {
    if (out.back() != '{') out += ',';
  };
  if (!header.metadata.empty()) {
    out += text("\"", metadata_key, "\":{");
    for (const auto& [key, value] : header.metadata) {
      separate();
      out += quoted(key, path) + ':' + quoted(value, path);
    }
    out += '}';
  }
  std::set<std::string_view> names;
  for (const SafetensorsEntry& entry : header.entries) {
    require(entry.name != metadata_key, path, ": no tensor can be called '", metadata_key, "'");
    require(names.insert(entry.name).second, path, ": key '", shown(entry.name), "' is given twice");
    separate();
    out += text(quoted(entry.name, path), ":{\"dtype\":\"", entry.dtype, "\",\"shape\":[");
    for (int i = 0; i < entry.shape.rank(); ++i) out += text(i ? "," : "", entry.shape[i]);
    out += text("],\"data_offsets\":[", entry.begin, ",", entry.end, "]}");
  }
  out += '}';
  out.resize((out.size() + 7) / 8 * 8, ' ');
  require(out.size() <= largest_safetensors_header, path, ": the names and metadata take ", out.size(), " bytes; a safetensors header has at most ",
          largest_safetensors_header);
  return out;
}

}  // namespace scry::io
