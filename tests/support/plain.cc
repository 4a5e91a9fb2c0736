#include "tests/support/plain.h"

#include <algorithm>
#include <cmath>

namespace cdt::test {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

double mask(const DropoutKey& key, std::int64_t row, std::int64_t col) {
  if (key.p <= 0.0F) return 1.0;
  const std::uint32_t draw =
      dropout_draw(key, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(col));
  return draw >= key.threshold() ? 1.0 / (1.0 - static_cast<double>(key.p)) : 0.0;
}

}  // namespace

Doubles plain_linear(const Doubles& x, const Doubles& w, const Doubles& b, std::int64_t rows) {
  const auto out = static_cast<std::int64_t>(b.size());
  const std::int64_t in = static_cast<std::int64_t>(w.size()) / out;
  Doubles y(at(rows * out));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t o = 0; o < out; ++o) {
      double sum = b[at(o)];
      for (std::int64_t i = 0; i < in; ++i) sum += x[at(r * in + i)] * w[at(o * in + i)];
      y[at(r * out + o)] = sum;
    }
  }
  return y;
}

Doubles plain_layer_norm(const Doubles& x, const Doubles& gamma, const Doubles& beta,
                         std::int64_t cols) {
  Doubles y(x.size());
  const auto n = static_cast<double>(cols);
  for (std::size_t row = 0; row < x.size(); row += at(cols)) {
    double mean = 0.0;
    double var = 0.0;
    for (std::size_t c = 0; c < at(cols); ++c) mean += x[row + c] / n;
    for (std::size_t c = 0; c < at(cols); ++c) var += (x[row + c] - mean) * (x[row + c] - mean) / n;
    for (std::size_t c = 0; c < at(cols); ++c) {
      y[row + c] = gamma[c] * (x[row + c] - mean) / std::sqrt(var + 1e-5) + beta[c];
    }
  }
  return y;
}

Doubles plain_dropout(const Doubles& x, const DropoutKey& key, std::int64_t rows_out,
                      std::int64_t cols) {
  Doubles y(at(rows_out * cols));
  for (std::int64_t r = 0; r < rows_out; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) {
      y[at(r * cols + c)] = x[at(r * cols + c) % x.size()] * mask(key, r, c);
    }
  }
  return y;
}

Doubles plain_gelu(const Doubles& x) {
  Doubles y(x.size());
  std::transform(x.begin(), x.end(), y.begin(),
                 [](double v) { return 0.5 * v * (1.0 + std::erf(v / std::sqrt(2.0))); });
  return y;
}

Doubles plain_add(const Doubles& x, const Doubles& a) {
  Doubles y(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) y[i] = x[i % x.size()] + a[i];
  return y;
}

Doubles plain_attention(const Doubles& q, const Doubles& k, const Doubles& v,
                        const AttentionSizes& s, const DropoutKey& key) {
  const std::int64_t d = s.heads * s.head_dim;
  Doubles out(at(s.batch * s.queries * d), 0.0);
  Doubles p(at(s.keys));
  for (std::int64_t row = 0; row < s.batch * s.heads * s.queries; ++row) {
    const std::int64_t i = row % s.queries;
    const std::int64_t h = row / s.queries % s.heads;
    const std::int64_t b = row / s.queries / s.heads;
    double sum = 0.0;
    for (std::int64_t j = 0; j < s.keys; ++j) {
      double score = 0.0;
      for (std::int64_t c = 0; c < s.head_dim; ++c) {
        score += q[at((b * s.queries + i) * d + h * s.head_dim + c) % q.size()] *
                 k[at((b * s.keys + j) * d + h * s.head_dim + c) % k.size()];
      }
      p[at(j)] = std::exp(score / std::sqrt(static_cast<double>(s.head_dim)));
      sum += p[at(j)];
    }
    for (std::int64_t j = 0; j < s.keys; ++j) {
      const double a = p[at(j)] / sum * mask(key, row, j);
      for (std::int64_t c = 0; c < s.head_dim; ++c) {
        out[at((b * s.queries + i) * d + h * s.head_dim + c)] +=
            a * v[at((b * s.keys + j) * d + h * s.head_dim + c) % v.size()];
      }
    }
  }
  return out;
}

Doubles plain_columns(const Doubles& x, std::int64_t cols, std::int64_t begin, std::int64_t end) {
  Doubles y;
  for (std::size_t row = 0; row < x.size(); row += at(cols)) {
    for (std::int64_t c = begin; c < end; ++c) y.push_back(x[row + at(c)]);
  }
  return y;
}

double plain_huber(double residual, double delta) {
  const double a = std::abs(residual);
  return a <= delta ? 0.5 * a * a : delta * (a - 0.5 * delta);
}

}  // namespace cdt::test
