#include "model/explain/path_split.h"

#include <cmath>
#include <numeric>

namespace cdt {
namespace {

double inner(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// A gene's gradient (L, D) and what measures a part against it.
struct Whole {
  std::vector<float> gradient, metric;
  double size = 0;  // |gradient|^2 at the DNA input
};

Whole whole_of(GradientPass& pass, InputGradientNorm& norm, Tape& tape, std::int32_t gene) {
  Whole out;
  pass.gradients({gene}, [&](std::size_t, const Tensor& gradient) {
    const Scratch mapped(tape.scratch(), {gradient.rows(), gradient.cols()});
    norm.metric(gradient, *mapped);
    out.gradient = to_host(tape.backend(), gradient);
    out.metric = to_host(tape.backend(), *mapped);
  });
  out.size = inner(out.gradient, out.metric);
  return out;
}

/// What is left of a gradient when its parts are taken away, relative to it.
class Rest {
 public:
  explicit Rest(const std::vector<float>& whole)
      : rest_(whole.begin(), whole.end()), length_(std::sqrt(inner(whole, whole))) {}
  void take(std::span<const float> part) {
    for (std::size_t k = 0; k < rest_.size(); ++k) rest_[k] -= part[k];
  }
  double error() const {
    double left = 0.0;
    for (const double r : rest_) left += r * r;
    return length_ > 0.0 ? std::sqrt(left) / length_ : 0.0;
  }

 private:
  std::vector<double> rest_;
  double length_;
};

}  // namespace

std::vector<PathSplit> path_split(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                                  std::span<const float> z, std::span<const float> zero,
                                  const std::vector<std::int32_t>& genes) {
  Backend& backend = tape.backend();
  std::vector<PathSplit> out(genes.size());
  for (std::size_t i = 0; i < genes.size(); ++i) {
    PathSplit& split = out[i];
    const Whole whole = whole_of(pass, norm, tape, genes[i]);
    Rest rest(whole.gradient);
    pass.path_gradients({genes[i]}, [&](std::size_t, GradientPass::Path path, const Tensor& part) {
      const auto p = static_cast<std::size_t>(path);
      const std::vector<float> host = to_host(backend, part);
      split.norm[p] = norm.compute(part);
      split.product[p] = row_products(host, z, zero, part.rows());
      split.share[p] = inner(host, whole.metric) / whole.size;
      rest.take(host);
    });
    split.additivity_error = rest.error();
  }
  return out;
}

HeadSplits head_split(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                      std::span<const float> z, std::span<const float> zero, std::int32_t gene) {
  const Whole whole = whole_of(pass, norm, tape, gene);
  HeadSplits out;
  for (const GradientPass::Path path : {GradientPass::kRna, GradientPass::kProtein}) {
    HeadSplit& split = out[path == GradientPass::kRna ? 0 : 1];
    std::vector<std::vector<float>> parts;
    const std::vector<float> of_path = pass.cross_head_gradients(
        gene, path, [&](GradientPass::Half half, std::int64_t, const Tensor& gradient) {
          const std::vector<float>& part = parts.emplace_back(to_host(tape.backend(), gradient));
          const std::vector<float> product = row_products(part, z, zero, gradient.rows());
          split.share[half].push_back(inner(part, whole.metric) / whole.size);
          split.product[half].push_back(std::accumulate(product.begin(), product.end(), 0.0));
        });
    Rest rest(of_path);
    for (const std::vector<float>& part : parts) rest.take(part);
    split.additivity_error = rest.error();
  }
  return out;
}

std::vector<PathSplit> split_paths(Attributor& attributor, Tape& tape, std::span<const float> z,
                                   std::span<const float> zero,
                                   const std::vector<std::int32_t>& genes,
                                   const std::function<void()>& after_gene) {
  GradientPass& pass = attributor.pass();
  std::vector<PathSplit> out;
  pass.forward(z);
  for (const std::int32_t gene : genes) {
    out.push_back(path_split(pass, attributor.norm(), tape, z, zero, {gene}).front());
    after_gene();
  }
  tape.clear();
  return out;
}

std::vector<HeadSplits> split_heads(Attributor& attributor, Tape& tape, std::span<const float> z,
                                    std::span<const float> zero,
                                    const std::vector<std::int32_t>& genes,
                                    const std::function<void()>& after_gene) {
  GradientPass& pass = attributor.pass();
  Recorder recorder;
  recorder.want_cores = true;
  std::vector<HeadSplits> out;
  pass.forward(z, &recorder);
  for (const std::int32_t gene : genes) {
    out.push_back(head_split(pass, attributor.norm(), tape, z, zero, gene));
    after_gene();
  }
  tape.clear();
  return out;
}

}  // namespace cdt
