#pragma once

#include <scry/core/tensor.hpp>

namespace scry::autograd {

class Node;

/// Told of every op that this thread computes and every rule that it runs, as long as it lives: what the profiler and anomaly mode derive from.
/// Where there is none an op spends two comparisons on it. Observers are told in turn, the latest first, and not of the ops that they call.
class Observer {
 public:
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// An op has computed `y`, recorded or not. Times are nanoseconds of a steady clock.
  virtual void computed(const char*, const Tensor& /*y*/, int64_t /*start*/) {}
  /// Backward comes to the rule of a node.
  virtual void rule_begins(const Node&) {}
  virtual void rule_ends(const Node&, int64_t /*start*/) {}
  /// The rule of `from` gives `gradient`, or a part of one, to an input.
  virtual void passed_on(const Node& /*from*/, const Node& /*to*/, const Tensor& /*gradient*/) {}

 protected:
  Observer();
  virtual ~Observer();

 private:
  friend class Announcement;
  Observer* next_;
};

/// A part of a program that calls ops, such as a module while its forward runs; the places of a thread nest. `name` is only called when
/// somebody asks.
class Place {
 public:
  Place(const void* subject, std::string (*name)(const void*));
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  /// The name of the innermost place of this thread; empty outside of all.
  static std::string current();

 private:
  const void* subject_;
  std::string (*name_)(const void*);
  const Place* outer_;
};

namespace detail {

extern constinit thread_local Observer* observers;

/// Nanoseconds of a steady clock.
int64_t now();
void announce_computed(const char* op, const Tensor& y, int64_t start);
void announce_passed_on(const Node& from, const Node& to, const Tensor& gradient);

/// Around a rule.
class RuleAnnouncement {
 public:
  explicit RuleAnnouncement(const Node& node);
  ~RuleAnnouncement();
  RuleAnnouncement(const RuleAnnouncement&) = delete;
  RuleAnnouncement& operator=(const RuleAnnouncement&) = delete;

 private:
  const Node& node_;
  int64_t start_;
};

}  // namespace detail
}  // namespace scry::autograd
