// How fast the engine's two forms of attention run on the shapes of CDT, bfloat16, 8 heads of 96,
// with and without dropout: fused kernels, score matrices, and score matrices where the batch
// shares queries, keys and values (protein self-attention in training). The choice between them
// rests on this (docs/cuda.md). One JSON object on stdout; needs a GPU.
//
//   measure_forms [--batch 8]
#include <array>

#include "apps/common/main.h"
#include "engine/backend.h"
#include "io/text.h"
#include "tests/gpu/cuda_timing.h"

namespace cdt::measure {
namespace {

constexpr std::int64_t kHeads = 8, kHeadDim = 96, kWidth = kHeads * kHeadDim;

struct Form {
  const char* name;
  bool fused, shared;  // shared: one q, k, v for the batch
};
constexpr std::array<Form, 3> kForms{
    {{"fused", true, false}, {"scores", false, false}, {"scores_shared", false, true}}};

Tensor tensor_of(const DeviceArray& array, const Shape& shape, Dtype dtype = Dtype::kBFloat16) {
  return {static_cast<float*>(array.data()), shape, dtype};
}

HeadsView rows_of(const Tensor& t, bool shared) {
  return {t.data, t.cols(), shared ? 0 : t.shape[1] * t.cols(), t.dtype};
}

/// Operands and gradients of one shape.
struct Problem {
  std::int64_t batch, queries, keys;
  DeviceArray q{batch * queries * kWidth, Element::kBFloat16};
  DeviceArray k{batch * keys * kWidth, Element::kBFloat16};
  DeviceArray v{batch * keys * kWidth, Element::kBFloat16};
  DeviceArray out{batch * queries * kWidth, Element::kBFloat16};
  DeviceArray dout{batch * queries * kWidth, Element::kBFloat16};
  DeviceArray dq{batch * queries * kWidth, Element::kBFloat16};
  DeviceArray dk{batch * keys * kWidth, Element::kBFloat16};
  DeviceArray dv{batch * keys * kWidth, Element::kBFloat16};
  DeviceArray sums{batch * kHeads * queries, Element::kFloat32};

  Problem(std::int64_t b, std::int64_t nq, std::int64_t nk) : batch(b), queries(nq), keys(nk) {}

  AttentionBackward call(float p, bool shared) const {
    const Shape of_queries{batch, queries, kWidth};
    const Shape of_keys{batch, keys, kWidth};
    const auto view = [shared](const DeviceArray& a, const Shape& s) {
      return rows_of(tensor_of(a, s), shared);
    };
    AttentionBackward b;
    b.forward = {
        .batch = batch,
        .heads = kHeads,
        .head_dim = kHeadDim,
        .queries = queries,
        .keys = keys,
        .q = view(q, of_queries),
        .k = view(k, of_keys),
        .v = view(v, of_keys),
        .out = tensor_of(out, of_queries),
        .log_sum_exp = tensor_of(sums, {shared ? 1 : batch, kHeads, queries}, Dtype::kFloat32),
        .probabilities = {},
        .dropout = {1, 0, 0, p}};
    b.dout = tensor_of(dout, of_queries);
    b.dq = view(dq, of_queries);
    b.dk = view(dk, of_keys);
    b.dv = view(dv, of_keys);
    return b;
  }
};

/// One JSON object. Useful work: 4 products of a score and a head's width forward, 10 backward.
std::string time(const Form& form, const Problem& problem, float p) {
  const auto backend = make_cuda_backend(
      {.precision = Precision::kBFloat16, .graphs = false, .fused_attention = form.fused});
  Arena scratch(*backend, "scratch", std::size_t{1} << 34U);
  const AttentionBackward call = problem.call(p, form.shared);
  backend->begin_step(0);
  const auto seconds = [&](const std::function<void()>& launch) {
    return wall_microseconds(launch, [&] { backend->synchronize(); });
  };
  const double forward = seconds([&] { backend->attention(call.forward, scratch); });
  const double backward = seconds([&] { backend->attention_backward(call, scratch); });
  const auto product = static_cast<double>(problem.batch * problem.queries * problem.keys * kWidth);
  return std::string(R"({"form": ")") + form.name +
         "\", \"queries\": " + std::to_string(problem.queries) +
         ", \"keys\": " + std::to_string(problem.keys) + ", \"dropout\": " + format_number(p) +
         ", \"forward_us\": " + format_number(forward) +
         ", \"forward_tflops\": " + format_number(4.0 * product / forward * 1e-6) +
         ", \"backward_us\": " + format_number(backward) +
         ", \"backward_tflops\": " + format_number(10.0 * product / backward * 1e-6) + "}";
}

std::vector<std::string> measure(std::int64_t batch, std::int64_t queries, std::int64_t keys) {
  const Problem problem(batch, queries, keys);
  std::vector<std::string> objects;
  for (const float p : {0.0F, 0.3F}) {
    for (const Form& form : kForms) {
      if (!form.shared || queries == keys) objects.push_back(time(form, problem, p));
    }
  }
  return objects;
}

int run(int argc, char** argv) {
  return measure_attentions(argc, argv, "measure_forms",
                            "times the engine's forms of attention on the shapes of CDT", "",
                            "forms", measure);
}

}  // namespace
}  // namespace cdt::measure

int main(int argc, char** argv) {
  return cdt::run_main("measure_forms", argc, argv, cdt::measure::run);
}
