// Compares cuDNN's fused attention with the engine's on the shapes of CDT: bfloat16, forward, no
// dropout, also with queries that the batch shares, as in prediction. First whether they agree,
// then how fast each is. One JSON object on stdout, which also lists shapes for which the library
// has no kernel; exit status 1 if values are out of bounds. Needs a GPU and libcudnn.so.9.
//
//   measure_attention [--batch 8] [--heads 8] [--head-dim 96] [--queries N --keys N]
#include <iostream>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "engine/cuda/cudnn_choice.h"
#include "io/format/text.h"
#include "tests/gpu/attention_problem.h"

namespace cdt::measure {
namespace {

class Comparison {
 public:
  explicit Comparison(CudnnAttention& cudnn) : cudnn_(cudnn) {}

  /// One JSON object: errors of cuDNN relative to the engine's kernels, and times.
  std::string compare(const AttentionProblem& problem, bool shared_queries) {
    Attention a = problem.call(0.0F, false).forward;
    if (shared_queries) a.q.batch_stride = 0;
    const std::string text = std::string("{\"shared_queries\": ") + json_bool(shared_queries) +
                             ", \"queries\": " + std::to_string(a.queries) +
                             ", \"keys\": " + std::to_string(a.keys);
    try {
      cudnn_.prepare(a);
    } catch (const Error& error) {
      std::string why = printable(error.what(), 300);
      for (char& c : why) c = c == '"' || c == '\\' ? '\'' : c;
      return text + ", \"unsupported\": \"" + why + "\"}";
    }
    return text + errors(a) + times(a, problem) +
           ", \"workspace_bytes\": " + std::to_string(cudnn_.workspace_bytes(a)) + "}";
  }
  int outside() const { return outside_; }

 private:
  std::string errors(const Attention& a) {
    Arena arena(*own_, "results");
    Attention ours = a;
    ours.out = arena.tensor(a.out.shape, a.out.dtype);
    ours.log_sum_exp = arena.tensor(a.log_sum_exp.shape);
    own_->attention(ours, scratch_);
    own_->synchronize();
    cudnn_.run(a);
    CDT_CUDA(cudaDeviceSynchronize());
    const AttentionDifference d = difference(*own_, a, ours);
    if (!d.in_bounds()) ++outside_;
    return ", \"out\": " + json_number(d.out) + ", \"log_sum_exp\": " + json_number(d.log_sum_exp);
  }

  std::string times(const Attention& a, const AttentionProblem& problem) {
    const double cudnn_us =
        wall_microseconds([&] { cudnn_.run(a); }, [] { CDT_CUDA(cudaDeviceSynchronize()); });
    const double own_us =
        wall_microseconds([&] { own_->attention(a, scratch_); }, [&] { own_->synchronize(); });
    const double flop = 4.0 * problem.products();
    return ", \"cudnn_us\": " + format_number(cudnn_us) +
           ", \"cudnn_tflops\": " + format_number(flop / cudnn_us * 1e-6) +
           ", \"own_us\": " + format_number(own_us) +
           ", \"own_tflops\": " + format_number(flop / own_us * 1e-6);
  }

  CudnnAttention& cudnn_;
  std::unique_ptr<Backend> own_ = make_cuda_backend(
      {.precision = Precision::kBFloat16, .graphs = false, .attention = AttentionChoice::kOwn});
  Arena scratch_{*own_, "scratch"};
  int outside_ = 0;
};

int measure(CudnnAttention& cudnn, const std::deque<AttentionProblem>& problems) {
  Comparison comparison(cudnn);
  const char* separator = "\n";
  for (const AttentionProblem& problem : problems) {
    for (const bool shared_queries : {false, true}) {
      std::cout << separator << comparison.compare(problem, shared_queries) << std::flush;
      separator = ",\n";
    }
  }
  std::cout << "\n], \"out_of_bounds\": " << comparison.outside() << "}\n";
  return comparison.outside() == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  AttentionSizes sizes;
  Cli cli("measure_attention", "compares and times cuDNN's attention and the engine's");
  add_size_options(&cli, &sizes);
  if (!cli.parse(argc, argv)) return kExitDone;
  const std::deque<AttentionProblem> problems = make_problems(sizes);
  std::unique_ptr<CudnnAttention> cudnn;
  try {
    cudnn = make_cudnn_attention(nullptr);
  } catch (const Error& error) {
    throw InputError("cuDNN", "library", error.what());
  }
  std::cout << "{\"gpu\": \"" << gpu_name() << "\", \"cudnn\": \"" << cudnn->version()
            << "\", \"batch\": " << sizes.batch << ", \"heads\": " << sizes.heads
            << ", \"head_dim\": " << sizes.head_dim
            << ", \"bounds\": {\"out\": " << format_number(kCudnnOutBound)
            << ", \"log_sum_exp\": " << format_number(kCudnnSumsBound) << "}, \"attention\": [";
  return measure(*cudnn, problems);
}

}  // namespace
}  // namespace cdt::measure

int main(int argc, char** argv) {
  return cdt::run_main("measure_attention", argc, argv, cdt::measure::run);
}
