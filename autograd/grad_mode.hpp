#pragma once

namespace scry {

namespace autograd::detail {
extern constinit thread_local bool grad_mode;
}

/// Whether ops are recorded in this thread; on at the start.
inline bool grad_enabled() { return autograd::detail::grad_mode; }

/// Nothing is recorded in this thread while one of these lives.
class NoGrad {
 public:
  NoGrad() : NoGrad(false) {}
  ~NoGrad() { autograd::detail::grad_mode = before_; }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 protected:
  explicit NoGrad(bool enabled) : before_(grad_enabled()) { autograd::detail::grad_mode = enabled; }

 private:
  bool before_;
};

/// The reverse, inside a NoGrad.
class EnableGrad : public NoGrad {
 public:
  explicit EnableGrad(bool enabled = true) : NoGrad(enabled) {}
};

}  // namespace scry
