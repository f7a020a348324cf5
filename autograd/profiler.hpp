#pragma once

#include <scry/autograd/observer.hpp>
#include <vector>

namespace scry {

/// Times every op of this thread while it lives, forward and backward.
class Profiler : public autograd::Observer {
 public:
  struct Event {
    const char* op;
    bool backward;            ///< its gradient rule
    std::string module;       ///< that called it; empty in backward
    Shape shape;              ///< of its output
    int64_t start, duration;  ///< in nanoseconds, start from the profiler's own
  };

  Profiler();
  /// In the order in which they ended; ops that a rule, or another op, calls come before it.
  std::span<const Event> events() const { return events_; }
  /// A line for each op, the one that took longest first: calls, all time in it, the part that was not spent in ops which it called, and the mean.
  std::string table() const;
  /// Writes the events as a trace for chrome://tracing or Perfetto. Takes the place of what lies at `path`; an Error where that can't be done.
  void write_trace(const std::string& path) const;

 private:
  void computed(const char* op, const Tensor& y, int64_t start) override;
  void rule_ends(const autograd::Node& node, int64_t start) override;

  int64_t start_;
  std::vector<Event> events_;
};

}  // namespace scry
