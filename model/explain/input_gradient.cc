#include "model/explain/input_gradient.h"

#include "engine/product.h"

namespace cdt {

InputGradientNorm::InputGradientNorm(Backend& backend, const Tensor& weight, Arena& lasting,
                                     Arena& scratch)
    : backend_(backend), scratch_(scratch), weight_(weight) {
  const std::int64_t d = weight.shape[0];
  const std::int64_t in = weight.shape[1];
  if (in <= d) return;
  gram_ = lasting.tensor({d, d});
  multiply(backend_, weight, transposed(weight), gram_);
}

void InputGradientNorm::compute(const Tensor& gradient, const Tensor& out) {
  const std::int64_t bins = gradient.rows();
  const std::int64_t d = weight_.shape[0];
  expect_shape("gradient_norm", "gradient", gradient, {1, bins, d});
  expect_shape("gradient_norm", "out", out, {bins});
  const Tensor g = gradient.reshaped({bins, d});
  const Tensor& map = gram_.empty() ? weight_ : gram_;  // (D, width)
  const Scratch mapped(scratch_, {bins, map.cols()});
  multiply(backend_, g, map, *mapped);
  backend_.row_dot_sqrt(*mapped, gram_.empty() ? *mapped : g, out);
}

std::vector<float> InputGradientNorm::compute(const Tensor& gradient) {
  const Scratch norms(scratch_, {gradient.rows()});
  compute(gradient, *norms);
  std::vector<float> host(static_cast<std::size_t>(gradient.rows()));
  backend_.download(host.data(), *norms);
  return host;
}

void InputGradientNorm::metric(const Tensor& gradient, const Tensor& out) {
  const std::int64_t bins = gradient.rows();
  const Tensor g = gradient.reshaped({bins, gradient.cols()});
  if (!gram_.empty()) {
    multiply(backend_, g, gram_, out);
    return;
  }
  const Scratch wide(scratch_, {bins, weight_.cols()});
  multiply(backend_, g, weight_, *wide);
  multiply(backend_, *wide, transposed(weight_), out);
}

}  // namespace cdt
