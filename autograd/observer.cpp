#include <scry/autograd/observer.hpp>
#include <chrono>

namespace scry::autograd {
namespace {

constinit thread_local const Place* innermost = nullptr;

}  // namespace

namespace detail {
constinit thread_local Observer* observers = nullptr;
}
using detail::observers;

// Tells all observers; what they compute themselves is announced to nobody.
class Announcement {
 public:
  Announcement() : all_(std::exchange(observers, nullptr)) {}
  ~Announcement() { observers = all_; }
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  template <class F>
  void to_all(const F& tell) const {
    for (Observer* each = all_; each; each = each->next_) tell(*each);
  }

 private:
  Observer* all_;
};

Observer::Observer() : next_(std::exchange(observers, this)) {}

Observer::~Observer() {
  Observer** link = &observers;
  while (*link && *link != this) link = &(*link)->next_;
  if (*link) *link = next_;
}

Place::Place(const void* subject, std::string (*name)(const void*)) : subject_(subject), name_(name), outer_(std::exchange(innermost, this)) {}
Place::~Place() { innermost = outer_; }
std::string Place::current() { return innermost ? innermost->name_(innermost->subject_) : std::string(); }

namespace detail {

int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void announce_computed(const char* op, const Tensor& y, int64_t start) {
  Announcement().to_all([&](Observer& each) { each.computed(op, y, start); });
}

void announce_passed_on(const Node& from, const Node& to, const Tensor& gradient) {
  Announcement().to_all([&](Observer& each) { each.passed_on(from, to, gradient); });
}

RuleAnnouncement::RuleAnnouncement(const Node& node) : node_(node), start_(observers ? now() : 0) {
  if (observers) Announcement().to_all([&](Observer& each) { each.rule_begins(node_); });
}
RuleAnnouncement::~RuleAnnouncement() {
  if (observers) Announcement().to_all([&](Observer& each) { each.rule_ends(node_, start_); });
}

}  // namespace detail
}  // namespace scry::autograd
