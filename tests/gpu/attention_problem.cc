#include "tests/gpu/attention_problem.h"

#include "engine/cuda/fused_attention.h"

namespace cdt::measure {
namespace {

Tensor tensor_of(const DeviceArray& array, const Shape& shape, Dtype dtype) {
  return {static_cast<float*>(array.data()), shape, dtype};
}

/// The first of that many equal parts.
std::vector<float> floats(const DeviceArray& array, Element element, std::int64_t parts = 1) {
  std::vector<char> bytes(array.bytes() / static_cast<std::size_t>(parts));
  CDT_CUDA(cudaMemcpy(bytes.data(), array.data(), bytes.size(), cudaMemcpyDeviceToHost));
  std::vector<float> values(bytes.size() / size_of(element));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const char* from = bytes.data() + i * size_of(element);
    BFloat16 narrow{};
    if (element == Element::kFloat32) {
      std::copy_n(from, sizeof(float), reinterpret_cast<char*>(&values[i]));
    } else {
      std::copy_n(from, sizeof narrow, reinterpret_cast<char*>(&narrow));
      values[i] = to_float(narrow);
    }
  }
  return values;
}

}  // namespace

void add_size_options(Cli* cli, AttentionSizes* sizes) {
  cli->number("batch", &sizes->batch, 1, 64, "samples");
  cli->number("heads", &sizes->heads, 1, 64, "heads");
  cli->option("head-dim", &sizes->head_dim, "width of a head, a multiple of 8 up to 128");
  cli->number("queries", &sizes->queries, 1, 65536,
              "one shape instead of the model's three: queries");
  cli->number("keys", &sizes->keys, 1, 65536, "and keys");
}

std::deque<AttentionProblem> make_problems(const AttentionSizes& sizes) {
  if (fused_attention_bytes<BFloat16>(sizes.head_dim) == 0) {
    throw InputError("command line", "--head-dim",
                     expected_got("there is no fused kernel for it", "a multiple of 8 up to 128",
                                  std::to_string(sizes.head_dim)));
  }
  if ((sizes.queries == 0) != (sizes.keys == 0)) {
    throw InputError("command line", sizes.queries == 0 ? "--queries" : "--keys",
                     "is missing: a shape has both");
  }
  gpu_properties();  // InputError if there is no GPU
  std::deque<AttentionProblem> problems;
  if (sizes.queries > 0) {
    problems.emplace_back(sizes);
    return problems;
  }
  for (const auto& [queries, keys] : kAttentionShapes) {
    problems.emplace_back(AttentionSizes{sizes.batch, sizes.heads, sizes.head_dim, queries, keys});
  }
  return problems;
}

AttentionBackward AttentionProblem::call(float dropout, bool shared) const {
  const std::int64_t width = s_.heads * s_.head_dim;
  const auto tensor = [&](const DeviceArray& array, std::int64_t tokens) {
    return tensor_of(array, {s_.batch, tokens, width}, Dtype::kBFloat16);
  };
  const auto view = [&](const DeviceArray& array, std::int64_t tokens) {
    return HeadsView{static_cast<float*>(array.data()), width, shared ? 0 : tokens * width,
                     Dtype::kBFloat16};
  };
  AttentionBackward b;
  b.forward = {.batch = s_.batch,
               .heads = s_.heads,
               .head_dim = s_.head_dim,
               .queries = s_.queries,
               .keys = s_.keys,
               .q = view(q_, s_.queries),
               .k = view(k_, s_.keys),
               .v = view(v_, s_.keys),
               .out = tensor(out_, s_.queries),
               .log_sum_exp =
                   tensor_of(sums_, {shared ? 1 : s_.batch, s_.heads, s_.queries}, Dtype::kFloat32),
               .probabilities = {},
               .dropout = {1, 0, 0, dropout}};
  b.dout = tensor(dout_, s_.queries);
  b.dq = view(dq_, s_.queries);
  b.dk = view(dk_, s_.keys);
  b.dv = view(dv_, s_.keys);
  return b;
}

void AttentionProblem::spoil_results() const {
  constexpr int kNanByte = 0xFF;
  for (const DeviceArray* array : {&out_, &sums_, &dq_, &dk_, &dv_}) {
    CDT_CUDA(cudaMemset(array->data(), kNanByte, array->bytes()));
  }
  CDT_CUDA(cudaDeviceSynchronize());
}

std::vector<NamedValues> AttentionProblem::results(bool shared) const {
  const std::int64_t parts = shared ? s_.batch : 1;
  return {{"out", floats(out_, Element::kBFloat16)},
          {"log_sum_exp", floats(sums_, Element::kFloat32, parts)},
          {"dq", floats(dq_, Element::kBFloat16, parts)},
          {"dk", floats(dk_, Element::kBFloat16, parts)},
          {"dv", floats(dv_, Element::kBFloat16, parts)}};
}

}  // namespace cdt::measure
