#include <scry/core/io/zip.hpp>
#include <scry/core/io/zip_records.hpp>

#include <algorithm>
#include <set>

namespace scry::io {
namespace {

using namespace zip;

constexpr uint64_t largest_ratio = 1032;  // of deflate: 258 bytes for two bits

// Where the directory lies, and how many entries it has.
struct Directory {
  uint64_t begin, size, entries;
  uint64_t end;  // where what describes it begins
};

Bytes read_at(const InputFile& file, uint64_t offset, uint64_t size) {
  Bytes bytes(static_cast<size_t>(size));
  file.read(offset, bytes);
  return bytes;
}

Directory find_directory(const InputFile& file) {
  // The end record is the last thing in the file, but for a comment of up to 64 KB.
  const uint64_t tail_size = std::min<uint64_t>(file.size(), end_bytes + 0xffff), tail_begin = file.size() - tail_size;
  const Bytes tail = read_at(file, tail_begin, tail_size);
  auto at = static_cast<int64_t>(tail.size()) - static_cast<int64_t>(end_bytes);
  const auto ends_here = [&](int64_t i) {
    const ByteSpan record = ByteSpan(tail).subspan(static_cast<size_t>(i));
    return get<uint32_t>(record, 0) == directory_end && get<uint16_t>(record, 20) == record.size() - end_bytes;
  };
  while (at >= 0 && !ends_here(at)) --at;
  require(at >= 0, file.path(), ": not a zip archive, or cut short: its directory isn't at its end");

  const ByteSpan end = ByteSpan(tail).subspan(static_cast<size_t>(at), end_bytes);
  Directory found{get<uint32_t>(end, 16), get<uint32_t>(end, 12), get<uint16_t>(end, 10), tail_begin + static_cast<uint64_t>(at)};
  bool spread = get<uint16_t>(end, 4) != 0 && get<uint16_t>(end, 4) != elsewhere16;
  if (found.begin == elsewhere32 || found.size == elsewhere32 || found.entries == elsewhere16) {
    const bool room = found.end >= locator_bytes + end64_bytes;
    const Bytes locator = room ? read_at(file, found.end - locator_bytes, locator_bytes) : Bytes(locator_bytes);
    const uint64_t end64_at = get<uint64_t>(locator, 8);
    const bool located = get<uint32_t>(locator, 0) == locator64 && end64_at <= found.end - locator_bytes - end64_bytes;
    const Bytes end64 = located ? read_at(file, end64_at, end64_bytes) : Bytes(end64_bytes);
    require(get<uint32_t>(end64, 0) == directory_end64, file.path(), ": the zip64 record of its directory is missing");
    found = {get<uint64_t>(end64, 48), get<uint64_t>(end64, 40), get<uint64_t>(end64, 32), end64_at};
    spread = get<uint32_t>(end64, 16) != 0;
  }
  require(!spread, file.path(), ": is one of several parts of a zip archive, which are not supported");
  require(found.begin <= found.end && found.size == found.end - found.begin, file.path(), ": its directory should lie at [", found.begin, ", ",
          found.begin + found.size, "), and what follows it begins at byte ", found.end);
  return found;
}

// An entry of the directory at `record`, with the place of the member's header for its begin. Returns the bytes that the entry takes.
size_t parse_entry(ByteSpan record, const std::string& path, ZipMember& member) {
  const auto fits = [&](size_t bytes) { require(bytes <= record.size(), path, ": its directory is cut short"); };
  fits(entry_bytes);
  require(get<uint32_t>(record, 0) == directory_entry, path, ": its directory is damaged");
  const size_t name_size = get<uint16_t>(record, 28), extra_size = get<uint16_t>(record, 30), comment_size = get<uint16_t>(record, 32);
  fits(entry_bytes + name_size + extra_size + comment_size);
  member.name.assign(reinterpret_cast<const char*>(record.data()) + entry_bytes, name_size);
  const auto require_here = [&](bool condition, const auto&... pieces) { require(condition, path, ": '", shown(member.name), "' ", pieces...); };
  const uint16_t flags = get<uint16_t>(record, 8), method = get<uint16_t>(record, 10);
  require_here(!(flags & 0x2041), "is encrypted, which is not supported");
  require_here(method == 0 || method == 8, "is compressed by method ", method, "; stored (0) and deflated (8) are supported");
  member.deflated = method == 8;
  member.crc = get<uint32_t>(record, 16);
  member.stored = get<uint32_t>(record, 20);
  member.size = get<uint32_t>(record, 24);
  member.begin = get<uint32_t>(record, 42);

  ByteSpan extra = record.subspan(entry_bytes + name_size, extra_size);
  while (extra.size() >= 4) {
    const size_t size = get<uint16_t>(extra, 2);
    require_here(size + 4 <= extra.size(), "has a damaged entry in the directory");
    if (get<uint16_t>(extra, 0) == zip64_field) {
      size_t at = 4;
      for (uint64_t* field : {&member.size, &member.stored, &member.begin}) {
        if (*field != elsewhere32) continue;
        require_here(at + 8 <= size + 4, "has a damaged entry in the directory");
        *field = get<uint64_t>(extra, at);
        at += 8;
      }
    }
    extra = extra.subspan(size + 4);
  }
  return entry_bytes + name_size + extra_size + comment_size;
}

// Moves the member's begin from its header to what is stored.
void skip_header(const InputFile& file, uint64_t directory, ZipMember& member) {
  const auto require_here = [&](bool condition, const auto&... pieces) {
    require(condition, file.path(), ": '", shown(member.name), "' ", pieces...);
  };
  require_here(member.begin < directory && directory - member.begin >= local_bytes + member.name.size(), "begins at byte ", member.begin,
               ", beyond the members, which end at byte ", directory);
  const Bytes header = read_at(file, member.begin, local_bytes + member.name.size());
  require_here(get<uint32_t>(header, 0) == local_header && get<uint16_t>(header, 26) == member.name.size() &&
                   std::memcmp(header.data() + local_bytes, member.name.data(), member.name.size()) == 0 &&
                   (get<uint16_t>(header, 8) == 8) == member.deflated,
               "isn't where the directory says, at byte ", member.begin);
  const uint64_t begin = member.begin + header.size() + get<uint16_t>(header, 28);
  require_here(begin <= directory && member.stored <= directory - begin, "takes ", member.stored, " bytes from byte ", begin,
               ", beyond the members, which end at byte ", directory);
  member.begin = begin;
  require_here(member.deflated ? member.size / largest_ratio <= member.stored : member.size == member.stored, "claims ", member.size,
               " bytes, which ", member.stored, member.deflated ? " deflated ones can't hold" : " stored ones can't be");
}

}  // namespace

const char* zip_name_problem(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > 0xffff) return "it is longer than 65535 bytes";
  if (name.find('\0') != name.npos || name.find('\\') != name.npos) return "it has a backslash or a zero byte";
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return "it leads out of a folder, or nowhere";
    begin = end + 1;
  }
  return nullptr;
}

ZipReader::ZipReader(const std::string& path) : file_(path) {
  const Directory directory = find_directory(file_);
  const Bytes records = read_at(file_, directory.begin, directory.size);
  ByteSpan rest = records;
  std::set<std::string_view> names;
  require(directory.entries <= directory.size / entry_bytes, path, ": its directory is too short for ", directory.entries, " entries");
  members_.reserve(static_cast<size_t>(directory.entries));
  for (uint64_t i = 0; i < directory.entries; ++i) {
    ZipMember& member = members_.emplace_back();
    rest = rest.subspan(parse_entry(rest, path, member));
    const char* problem = zip_name_problem(member.name);
    require(!problem, path, ": '", shown(member.name), "' can't be a member's name: ", problem ? problem : "");
    require(names.insert(member.name).second, path, ": '", shown(member.name), "' is given twice");
  }
  require(rest.empty(), path, ": its directory goes on after its ", directory.entries, " entries");

  std::vector<std::pair<uint64_t, ZipMember*>> order;
  for (ZipMember& member : members_) {
    order.emplace_back(member.begin, &member);
    skip_header(file_, directory.begin, member);
  }
  std::sort(order.begin(), order.end());
  for (size_t i = 1; i < order.size(); ++i) {
    const ZipMember& before = *order[i - 1].second;
    require(before.begin + before.stored <= order[i].first, path, ": '", shown(order[i].second->name), "' begins at byte ", order[i].first,
            " and overlaps '", shown(before.name), "'");
  }
}

}  // namespace scry::io
