#include <scry/optim/average.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/swa.hpp>
#include <array>

namespace scry::optim {
namespace {

constexpr std::array swa_fields{identity(field<&SWAOptions::start>("start", {0, 1e15})), identity(field<&SWAOptions::every>("every", {1, 1e15}))};

double swa_rate(const SWAOptions& o, double t) {
  if (t <= static_cast<double>(o.start)) return 1;
  const double n = counted(t, o.start, o.every);
  return n < 0 ? 0 : 1 / (n + 1);
}

}  // namespace

SWA::SWA(Optimizer&& inner, const SWAOptions& options)
    : Optimizer(std::move(inner), std::make_unique<AverageRule<SWAOptions, swa_rate>>("swa", swa_fields, options)) {}

const OptimizerKind& swa_kind() {
  static const OptimizerKind kind = kind_of<SWA, swa_fields>("swa");
  return kind;
}

}  // namespace scry::optim
