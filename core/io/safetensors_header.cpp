#include <scry/core/io/file.hpp>
#include <scry/core/io/safetensors_header.hpp>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace scry::io {
namespace {

using nlohmann::json;

constexpr std::string_view metadata_key = "__metadata__";

// Takes the events of the parser one by one: a tree of the whole header could take a hundred times its bytes, and would hide names
// that are given twice. The names of the members are nlohmann's.
class HeaderReader {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& path) : header_(header), path_(path) {}

  bool start_object(size_t) {
    if (place_ == Place::outside) return enter(Place::top);
    if (place_ != Place::top) return unexpected("an object");
    if (name_ == metadata_key) return enter(Place::metadata);
    header_.entries.emplace_back().name = name_;
    fields_seen_ = 0;
    return enter(Place::tensor);
  }
  bool end_object() {
    if (place_ == Place::tensor)
      for (size_t i = 0; i < std::size(fields); ++i) require(fields_seen_ & (1u << i), where(), "has no field '", fields[i], "'");
    return enter(place_ == Place::top ? Place::outside : Place::top);
  }
  bool key(std::string& key) {
    if (place_ == Place::top) {
      name_ = key;
      require(names_.insert(key).second, where(), "is given twice");
      return true;
    }
    field_ = key;
    if (place_ == Place::metadata) return true;
    const auto* field = std::find(std::begin(fields), std::end(fields), key);
    require(field != std::end(fields), where(), "has an unknown field '", shown(key), "'");
    const unsigned bit = 1u << (field - std::begin(fields));
    require(!(fields_seen_ & bit), where(), "has the field '", key, "' twice");
    fields_seen_ |= bit;
    return true;
  }
  bool string(std::string& value) {
    if (place_ == Place::metadata) {
      require(header_.metadata.emplace(field_, value).second, where(), "has the field '", shown(field_), "' twice");
      return true;
    }
    if (place_ != Place::tensor || field_ != "dtype") return unexpected("a string");
    header_.entries.back().dtype = value;
    return true;
  }
  bool start_array(size_t) {
    const bool wanted = place_ == Place::tensor && field_ != "dtype";
    if (!wanted) return unexpected("an array");
    count_ = 0;
    return enter(field_ == "shape" ? Place::shape : Place::offsets);
  }
  bool end_array() {
    require(place_ == Place::shape || count_ == 2, where(), "has ", count_, " data_offsets; expected 2");
    return enter(Place::tensor);
  }
  bool number_unsigned(uint64_t value) {
    SafetensorsEntry& entry = header_.entries.empty() ? nobody_ : header_.entries.back();
    ++count_;
    if (place_ == Place::shape) {
      require(count_ <= Shape::max_rank, where(), "has more than ", Shape::max_rank, " axes");
      require(value <= INT64_MAX, where(), "has a size in 'shape' that is out of range");
      entry.shape.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::offsets) {
      require(count_ <= 2, where(), "has more than 2 data_offsets");
      require(value <= INT64_MAX, where(), "has data_offsets that are out of range");
      (count_ == 1 ? entry.begin : entry.end) = value;
    } else {
      return unexpected("a number");
    }
    return true;
  }
  bool number_integer(int64_t value) { return unexpected(text("the negative number ", value)); }
  bool number_float(double, const std::string& digits) { return unexpected(text("the number ", shown(digits), ", no integer of 64 bits")); }
  bool null() { return unexpected("null"); }
  bool boolean(bool value) { return unexpected(value ? "true" : "false"); }
  bool binary(json::binary_t&) { return unexpected("binary data"); }
  template <class Exception>
  bool parse_error(size_t position, const std::string&, const Exception& error) {
    std::string_view message = error.what();  // "[json.exception.…] parse error at …: reason", or without the second part
    for (const std::string_view before : {std::string_view("] "), std::string_view(": ")})
      if (const size_t at = message.find(before); at != message.npos) message.remove_prefix(at + 2);
    fail(path_, ": the header is not valid JSON at byte ", 8 + position, ": ", shown(message));
  }

 private:
  enum class Place : uint8_t { outside, top, metadata, tensor, shape, offsets };
  static constexpr std::string_view fields[] = {"dtype", "shape", "data_offsets"};

  bool enter(Place place) {
    place_ = place;
    return true;
  }
  std::string where() const { return text(path_, ": key '", shown(name_), "' "); }
  bool unexpected(std::string_view what) const {
    switch (place_) {
      case Place::outside: fail(path_, ": the header is ", what, "; expected an object");
      case Place::top: fail(where(), "is ", what, "; expected an object");
      case Place::metadata: fail(where(), "has ", what, " for '", shown(field_), "'; expected a string");
      case Place::tensor: fail(where(), "has ", what, " for '", field_, "'; expected ", field_ == "dtype" ? "a string" : "an array of integers");
      default: fail(where(), "has ", what, " in '", field_, "'; expected integers, 0 or more");
    }
  }

  SafetensorsHeader& header_;
  const std::string& path_;
  Place place_ = Place::outside;
  std::string name_, field_;
  std::set<std::string> names_;
  SafetensorsEntry nobody_;  // takes numbers outside of any tensor, before they are refused
  unsigned fields_seen_ = 0;
  int64_t count_ = 0;
};

// A JSON string.
std::string quoted(const std::string& value, const std::string& path) {
  try {
    return json(value).dump();
  } catch (const json::exception&) {
    fail(path, ": '", shown(value), "' is not UTF-8, as names and metadata in a safetensors file must be");
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json_text, const std::string& path) {
  require(json_text.starts_with('{'), path, ": the header doesn't begin with '{'; this is not a safetensors file");
  SafetensorsHeader header;
  HeaderReader reader(header, path);
  json::sax_parse(json_text.begin(), json_text.end(), &reader);
  return header;
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
      out += text(quoted(key, path), ":", quoted(value, path));
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
