// Reference attention and its gradients in float64: plain loops over whole score matrices.
#pragma once

#include <cmath>
#include <vector>

#include "engine/backend.h"

namespace cdt::test {

struct AttentionOracle {
  std::vector<double> out, log_sum_exp, probabilities;  // (B, Nq, HK), (B, H, Nq), (B, H, Nq, Nk)
  std::vector<double> dq, dk, dv;                       // per sample: (B, N, HK)
};

inline double at(const HeadsView& v, std::int64_t b, std::int64_t i, std::int64_t c) {
  return v.data[b * v.batch_stride + i * v.row_stride + c];
}

/// dout (B, Nq, HK); null for the forward pass only.
inline AttentionOracle attention_oracle(const Attention& a, const float* dout) {
  const std::int64_t width = a.heads * a.head_dim;
  const auto size = [&](std::int64_t rows, std::int64_t cols) {
    return std::vector<double>(static_cast<std::size_t>(a.batch * rows * cols), 0.0);
  };
  AttentionOracle o{size(a.queries, width), {}, {}, size(a.queries, width), size(a.keys, width),
                    size(a.keys, width)};
  const double scale = 1.0 / std::sqrt(static_cast<double>(a.head_dim));
  const auto n = static_cast<std::size_t>(a.keys);
  for (std::int64_t b = 0; b < a.batch; ++b) {
    for (std::int64_t h = 0; h < a.heads; ++h) {
      for (std::int64_t i = 0; i < a.queries; ++i) {
        std::vector<double> p(n, 0.0);
        std::vector<double> mask(n);
        std::vector<double> dp(n, 0.0);
        double sum = 0.0;
        for (std::int64_t j = 0; j < a.keys; ++j) {
          double s = 0.0;
          for (std::int64_t c = h * a.head_dim; c < (h + 1) * a.head_dim; ++c) {
            s += at(a.q, b, i, c) * at(a.k, b, j, c);
          }
          p[static_cast<std::size_t>(j)] = std::exp(s * scale);
          sum += p[static_cast<std::size_t>(j)];
        }
        o.log_sum_exp.push_back(std::log(sum));
        const auto row = static_cast<std::uint32_t>((b * a.heads + h) * a.queries + i);
        double dot = 0.0;
        for (std::int64_t j = 0; j < a.keys; ++j) {
          const auto y = static_cast<std::size_t>(j);
          p[y] /= sum;
          mask[y] = dropout_factor(a.dropout, row, static_cast<std::uint32_t>(j));
          o.probabilities.push_back(p[y]);
          for (std::int64_t c = h * a.head_dim; c < (h + 1) * a.head_dim; ++c) {
            const auto to = static_cast<std::size_t>((b * a.queries + i) * width + c);
            o.out[to] += p[y] * mask[y] * at(a.v, b, j, c);
            if (dout == nullptr) continue;
            dp[y] += mask[y] * dout[to] * at(a.v, b, j, c);
            o.dv[static_cast<std::size_t>((b * a.keys + j) * width + c)] +=
                p[y] * mask[y] * dout[to];
          }
          dot += p[y] * dp[y];
        }
        if (dout == nullptr) continue;
        for (std::int64_t j = 0; j < a.keys; ++j) {
          const auto y = static_cast<std::size_t>(j);
          const double ds = p[y] * (dp[y] - dot) * scale;
          for (std::int64_t c = h * a.head_dim; c < (h + 1) * a.head_dim; ++c) {
            o.dq[static_cast<std::size_t>((b * a.queries + i) * width + c)] +=
                ds * at(a.k, b, j, c);
            o.dk[static_cast<std::size_t>((b * a.keys + j) * width + c)] += ds * at(a.q, b, i, c);
          }
        }
      }
    }
  }
  return o;
}

/// (B, N, C) -> (1, N, C)
inline std::vector<double> sum_over_batch(const std::vector<double>& x, std::int64_t batch) {
  std::vector<double> out(x.size() / static_cast<std::size_t>(batch), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) out[i % out.size()] += x[i];
  return out;
}

}  // namespace cdt::test
