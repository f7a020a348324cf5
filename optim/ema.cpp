#include <scry/optim/average.hpp>
#include <scry/optim/ema.hpp>
#include <scry/optim/kinds.hpp>
#include <algorithm>
#include <array>

namespace scry::optim {
namespace {

using Options = EMAOptions;
constexpr std::array fields{
    field<&Options::decay>("decay", decay_rate),
    identity(field<&Options::every>("every", {1, 1e15})),
    identity(field<&Options::start>("start", {0, 1e15})),
    identity(field<&Options::warmup>("warmup")),
};

double rate(const Options& o, double t) {
  if (t <= static_cast<double>(o.start)) return 1;
  const double n = counted(t, o.start, o.every);
  return n < 0 ? 0 : 1 - (o.warmup ? std::min(o.decay, (1 + n) / (10 + n)) : o.decay);
}

}  // namespace

EMA::EMA(Optimizer&& inner, const EMAOptions& options)
    : Optimizer(std::move(inner), std::make_unique<AverageRule<EMAOptions, rate>>("ema", fields, options)) {}

const OptimizerKind& ema_kind() {
  static const OptimizerKind kind = kind_of<EMA, fields>("ema");
  return kind;
}

}  // namespace scry::optim
