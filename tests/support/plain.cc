#include "tests/support/plain.h"

#include <algorithm>
#include <cmath>

namespace cdt::test {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

double mask(const DropoutKey& key, std::int64_t row, std::int64_t col) {
  if (key.p <= 0.0F) return 1.0;
  const double dropped = plain_dropped_draws(key.p);
  const auto draw =
      plain_draw(key, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(col));
  return draw >= dropped ? 1.0 / (1.0 - dropped / 65536.0) : 0.0;
}

}  // namespace

std::vector<std::uint32_t> plain_philox(std::vector<std::uint32_t> counter, std::uint64_t seed) {
  std::uint64_t key[2] = {seed % (1ULL << 32U), seed >> 32U};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = 0xD2511F53ULL * counter[0];
    const std::uint64_t right = 0xCD9E8D57ULL * counter[2];
    counter = {static_cast<std::uint32_t>((right >> 32U) ^ counter[1] ^ key[0]),
               static_cast<std::uint32_t>(right % (1ULL << 32U)),
               static_cast<std::uint32_t>((left >> 32U) ^ counter[3] ^ key[1]),
               static_cast<std::uint32_t>(left % (1ULL << 32U))};
    key[0] = (key[0] + 0x9E3779B9ULL) % (1ULL << 32U);
    key[1] = (key[1] + 0xBB67AE85ULL) % (1ULL << 32U);
  }
  return counter;
}

std::uint32_t plain_draw(const DropoutKey& key, std::uint32_t row, std::uint32_t col) {
  // The 64 columns of a group: four words of sixteen columns, each in eight counters of two.
  const std::uint32_t group = col / 64;
  const std::uint32_t word = col % 64 / 16;
  const std::uint32_t pair = col % 16 / 2;
  const std::uint32_t words =
      plain_philox({8 * group + pair, key.first_row + row, key.site, key.step}, key.seed)[word];
  return col % 2 == 0 ? words % 65536 : words / 65536;
}

double plain_dropped_draws(double p) {
  return p <= 0 ? 0.0 : std::min(65535.0, std::max(1.0, std::round(p * 65536.0)));
}

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
