#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

using Values = std::vector<double>;

enum class Kind { tanh, relu, lstm, gru, gru_before, lstm_peephole, lstm_projection };

struct Variant {
  Kind kind;
  bool reverse = false, lengths = false;
};

bool is_lstm(Kind kind) { return kind == Kind::lstm || kind >= Kind::lstm_peephole; }
bool is_gru(Kind kind) { return kind == Kind::gru || kind == Kind::gru_before; }
int64_t gates_of(Kind kind) { return is_lstm(kind) ? 4 : is_gru(kind) ? 3 : 1; }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// 0, 1, … up to T and again.
Tensor lengths_for(const Tensor& x) {
  std::vector<int64_t> out;
  for (int64_t b = 0; b < x.size(1); ++b) out.push_back((b + 1) % (x.size(0) + 1));
  return Tensor::of(out, {x.size(1)});
}

// The inputs: x, h, (c,) the weights and biases, (peepholes or projection).
std::vector<Input> inputs(Kind kind, int64_t steps, int64_t batch, int64_t in, int64_t units) {
  const int64_t rows = gates_of(kind) * units, seen = kind == Kind::lstm_projection ? 2 : units;
  std::vector<Input> out{{{steps, batch, in}, -1, 1}, {{batch, seen}, -1, 1}};
  if (is_lstm(kind)) out.push_back({{batch, units}, -1, 1});
  const double bound = units > 50 ? 0.1 : 0.7;
  for (const Shape& shape : {Shape{rows, in}, Shape{rows, seen}, Shape{rows}, Shape{rows}}) out.push_back({shape, -bound, bound});
  if (kind == Kind::lstm_peephole) out.push_back({{3, units}, -0.7, 0.7});
  if (kind == Kind::lstm_projection) out.push_back({{seen, units}, -0.7, 0.7});
  return out;
}

Tensor run(const Variant& v, Args x) {
  const size_t w = is_lstm(v.kind) ? 3 : 2;
  RecurrentWeights weights{x[w], x[w + 1], x[w + 2], x[w + 3]};
  if (v.kind == Kind::lstm_peephole) weights.peephole = x[w + 4];
  if (v.kind == Kind::lstm_projection) weights.projection = x[w + 4];
  const RecurrentOptions options{v.reverse, v.lengths ? lengths_for(x[0]) : Tensor{}, v.kind == Kind::gru_before};
  const RecurrentResult result = is_lstm(v.kind)  ? lstm(x[0], {x[1], x[2]}, weights, options)
                                 : is_gru(v.kind) ? gru(x[0], x[1], weights, options)
                                                  : rnn(x[0], x[1], weights, v.kind == Kind::relu, options);
  std::vector<Tensor> parts{flatten(result.output), flatten(result.h)};
  if (result.c.defined()) parts.push_back(flatten(result.c));
  return cat(parts);
}

// One step of one sequence, written out gate by gate.
void step(Kind kind, const Tensor& x, int64_t t, int64_t b, Args w, Values& h, Values& c) {
  const int64_t units = w[0].size(0) / gates_of(kind);
  const auto input = [&](int64_t row) {
    double sum = at(w[2], {row});
    for (int64_t k = 0; k < x.size(2); ++k) sum += at(w[0], {row, k}) * at(x, {t, b, k});
    return sum;
  };
  const auto hidden = [&](int64_t row, const Values& state) {
    double sum = at(w[3], {row});
    for (size_t k = 0; k < state.size(); ++k) sum += at(w[1], {row, static_cast<int64_t>(k)}) * state[k];
    return sum;
  };
  Values next(static_cast<size_t>(units)), reset(h);
  const auto gate = [&](int64_t i, int64_t u) { return input(i * units + u) + hidden(i * units + u, h); };
  if (kind == Kind::gru_before)
    for (int64_t u = 0; u < units; ++u) reset[static_cast<size_t>(u)] *= logistic(gate(0, u));
  for (int64_t u = 0; u < units; ++u) {
    double& out = next[static_cast<size_t>(u)];
    if (is_lstm(kind)) {
      double& cell = c[static_cast<size_t>(u)];
      const auto peep = [&](int64_t i, double value) { return kind == Kind::lstm_peephole ? at(w[4], {i, u}) * value : 0; };
      const double i = logistic(gate(0, u) + peep(0, cell)), f = logistic(gate(1, u) + peep(1, cell));
      cell = f * cell + i * std::tanh(gate(2, u));
      out = logistic(gate(3, u) + peep(2, cell)) * std::tanh(cell);
    } else if (is_gru(kind)) {
      const double z = logistic(gate(1, u)), row = static_cast<double>(2 * units + u);
      const auto third = static_cast<int64_t>(row);
      const double back = kind == Kind::gru_before ? hidden(third, reset) : logistic(gate(0, u)) * hidden(third, h);
      out = (1 - z) * std::tanh(input(third) + back) + z * h[static_cast<size_t>(u)];
    } else {
      out = kind == Kind::tanh ? std::tanh(gate(0, u)) : std::max(0.0, gate(0, u));
    }
  }
  if (kind == Kind::lstm_projection) {
    h.assign(static_cast<size_t>(w[4].size(0)), 0);
    for (int64_t p = 0; p < w[4].size(0); ++p)
      for (int64_t u = 0; u < units; ++u) h[static_cast<size_t>(p)] += at(w[4], {p, u}) * next[static_cast<size_t>(u)];
  } else {
    h = next;
  }
}

Values reference(const Variant& v, Args x) {
  const int64_t steps = x[0].size(0), batch = x[0].size(1);
  const size_t weights = is_lstm(v.kind) ? 3 : 2;
  const std::vector<int64_t> lengths = lengths_for(x[0]).to_vector<int64_t>();
  std::vector<std::vector<Values>> outputs(static_cast<size_t>(steps), std::vector<Values>(static_cast<size_t>(batch)));
  Values last_h, last_c;
  for (int64_t b = 0; b < batch; ++b) {
    Values h = select(x[1], 0, b).to_vector<double>(), c = is_lstm(v.kind) ? select(x[2], 0, b).to_vector<double>() : Values{};
    for (int64_t s = 0; s < steps; ++s) {
      const int64_t t = v.reverse ? steps - 1 - s : s;
      const bool active = !v.lengths || t < lengths[static_cast<size_t>(b)];
      if (active) step(v.kind, x[0], t, b, x.subspan(weights), h, c);
      outputs[static_cast<size_t>(t)][static_cast<size_t>(b)] = active ? h : Values(h.size(), 0);
    }
    last_h.insert(last_h.end(), h.begin(), h.end());
    last_c.insert(last_c.end(), c.begin(), c.end());
  }
  Values out;
  for (const auto& by_batch : outputs)
    for (const Values& h : by_batch) out.insert(out.end(), h.begin(), h.end());
  out.insert(out.end(), last_h.begin(), last_h.end());
  out.insert(out.end(), last_c.begin(), last_c.end());
  return out;
}

// Small cases whose derivatives are checked and larger ones that don't fill registers, each with few sequences and with so many that the input's
// products join the steps; and one whose units are spread over the threads.
Row row(const char* op, const Variant& v) {
  std::vector<std::vector<Input>> cases{inputs(v.kind, 3, 2, 2, 2), inputs(v.kind, 2, 16, 1, 1), inputs(v.kind, 4, 5, 3, 19),
                                        inputs(v.kind, 3, 17, 37, 9)};
  if (!v.reverse && !v.lengths) cases.push_back(inputs(v.kind, 2, 33, 2, v.kind < Kind::lstm ? 184 : is_gru(v.kind) ? 104 : 92));
  return {op, cases, [v](Args x) { return run(v, x); }, [v](Args x) { return reference(v, x); },
          [] {
            const Tensor w = zeros({12, 3}), u = zeros({12, 4});
            lstm(zeros({2, 2, 3}), {}, {w, u});
          }};
}

}  // namespace

std::vector<Row> recurrent_rows() {
  const auto refused = [](Row row, Kept<void()> error) {
    row.error = std::move(error);
    return row;
  };
  const auto rnn_error = [] { rnn(zeros({2, 3}), {}, {zeros({4, 3}), zeros({4, 4}), {}}); };
  const auto gru_error = [] { gru(zeros({2, 1, 3}), {}, {zeros({12, 3}), zeros({12, 4}), {}}, {.lengths = full({1}, 3, i64)}); };
  std::vector<Row> rows;
  for (const auto& [reverse, lengths] : {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
    rows.push_back(refused(row("rnn", {Kind::tanh, reverse, lengths}), rnn_error));
    rows.push_back(row("lstm", {Kind::lstm, reverse, lengths}));
    rows.push_back(refused(row("gru", {Kind::gru, reverse, lengths}), gru_error));
  }
  rows.push_back(refused(row("rnn", {Kind::relu}), rnn_error));
  rows.push_back(refused(row("gru", {Kind::gru_before, true, true}), gru_error));
  rows.push_back(row("lstm", {Kind::lstm_peephole, true}));
  rows.push_back(row("lstm", {Kind::lstm_projection, true, true}));
  return rows;
}

}  // namespace scry::test
