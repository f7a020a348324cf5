#include <scry/optim/average.hpp>
#include <scry/optim/ema.hpp>
#include <scry/optim/kinds.hpp>
#include <algorithm>
#include <array>

namespace scry::optim {
namespace {

constexpr std::array ema_fields{
    field<&EMAOptions::decay>("decay", decay_rate),
    identity(field<&EMAOptions::every>("every", {1, 1e15})),
    identity(field<&EMAOptions::start>("start", {0, 1e15})),
    identity(field<&EMAOptions::warmup>("warmup")),
};

double ema_rate(const EMAOptions& o, double t) {
  if (t <= static_cast<double>(o.start)) return 1;
  const double n = counted(t, o.start, o.every);
  return n < 0 ? 0 : 1 - (o.warmup ? std::min(o.decay, (1 + n) / (10 + n)) : o.decay);
}

}  // namespace

EMA::EMA(Optimizer&& inner, const EMAOptions& options)
    : Optimizer(std::move(inner), std::make_unique<AverageRule<EMAOptions, ema_rate>>("ema", ema_fields, options)) {}

const OptimizerKind& ema_kind() {
  static const OptimizerKind kind = kind_of<EMA, ema_fields>("ema");
  return kind;
}

}  // namespace scry::optim
