#include <scry/autograd/node.hpp>
#include <scry/autograd/profiler.hpp>
#include <scry/core/io/file.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

namespace scry {
namespace {

std::string name_of(const Profiler::Event& event) { return event.backward ? std::string(event.op) + " backward" : event.op; }

struct Line {
  std::string name;
  int64_t calls = 0, total = 0, own = 0;
};

std::string row(const std::string& name, const std::string& calls, const char* total, const char* own, const char* share, const char* mean) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, "%-32.100s %9.20s %12s %12s %7s %12s\n", name.c_str(), calls.c_str(), total, own, share, mean);
  return buffer;
}

std::string number(double value, const char* unit = "") {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3f%s", value, unit);
  return buffer;
}

std::string quoted(const std::string& word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') out += c;
  }
  return out + '"';
}

}  // namespace

Profiler::Profiler() : start_(autograd::detail::now()) {}

void Profiler::computed(const char* op, const Tensor& y, int64_t start) {
  events_.push_back({op, false, autograd::Place::current(), y.shape(), start - start_, autograd::detail::now() - start});
}

void Profiler::rule_ends(const autograd::Node& node, int64_t start) {
  events_.push_back({node.op, true, {}, node.shape, start - start_, autograd::detail::now() - start});
}

std::string Profiler::table() const {
  std::map<std::string, Line> lines;
  std::vector<const Event*> inner;  // that have ended and aren't known to lie in another
  int64_t all = 0;
  for (const Event& event : events_) {
    int64_t own = event.duration;
    for (; !inner.empty() && inner.back()->start >= event.start; inner.pop_back()) own -= inner.back()->duration;
    inner.push_back(&event);
    Line& line = lines[name_of(event)];
    line.calls += 1;
    line.total += event.duration;
    line.own += own;
    all += own;
  }
  std::vector<Line> sorted;
  for (auto& [name, line] : lines) {
    line.name = name;
    sorted.push_back(line);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Line& a, const Line& b) { return a.own > b.own; });
  std::string out = row("op", "calls", "total ms", "own ms", "own %", "mean us");
  for (const Line& line : sorted) {
    const auto total = static_cast<double>(line.total), own = static_cast<double>(line.own);
    out += row(line.name, std::to_string(line.calls), number(total * 1e-6).c_str(), number(own * 1e-6).c_str(),
               number(all ? 100 * own / static_cast<double>(all) : 0).c_str(), number(total * 1e-3 / static_cast<double>(line.calls)).c_str());
  }
  return out;
}

void Profiler::write_trace(const std::string& path) const {
  std::string out = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  for (const Event& event : events_)
    out += text(&event == events_.data() ? "\n" : ",\n", "{\"name\": ", quoted(event.op), ", \"cat\": \"", event.backward ? "backward" : "forward",
                "\", \"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"ts\": ", number(static_cast<double>(event.start) * 1e-3),
                ", \"dur\": ", number(static_cast<double>(event.duration) * 1e-3), ", \"args\": {\"module\": ", quoted(event.module),
                ", \"shape\": \"", event.shape, "\"}}");
  out += "\n]}\n";
  io::write_file(path, {reinterpret_cast<const uint8_t*>(out.data()), out.size()});
}

}  // namespace scry
