// How fast cuBLASLt multiplies the matrices of a training step, of prediction or of attribution at
// the sizes of the paper, and what choosing among its algorithms would gain. The products are those
// that the engine issues in one run, issued again. `any_reduction`: the algorithm that this option
// of CudaOptions would choose, and whether it leaves the same bits eight times. One JSON object on
// stdout; needs a GPU.
//
//   measure_gemm [--workload train] [--precision fp32-fma|tf32|bf16|all] [--algorithms 8]
//                [--batch 8] ...
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <utility>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "engine/cuda/cuda_backend.h"
#include "io/format/text.h"
#include "tests/bench/paper_workloads.h"
#include "tests/gpu/gemm_timing.h"

namespace cdt::measure {
namespace {

struct NamedPrecision {
  const char* name;
  Precision precision;
};
constexpr std::array<NamedPrecision, 3> kPrecisions{{{"fp32-fma", Precision::kFloat32},
                                                     {"tf32", Precision::kTf32},
                                                     {"bf16", Precision::kBFloat16}}};

struct Options {
  PaperSizes sizes;
  std::string workload = "train", precision = "all";
  std::int64_t algorithms = 8;
};

/// Sums over all products of a run, in microseconds.
struct Totals {
  std::int64_t products = 0, calls = 0;
  double tflop = 0, engine = 0, best = 0, any_reduction = 0, best_any = 0;
  bool repeats = true;

  std::string as_json() const {
    return "{\"distinct\": " + std::to_string(products) + ", \"calls\": " + std::to_string(calls) +
           ", \"tflop\": " + format_number(tflop) + ", \"engine_us\": " + format_number(engine) +
           ", \"best_us\": " + format_number(best) +
           ", \"any_reduction_us\": " + format_number(any_reduction) +
           ", \"best_any_reduction_us\": " + format_number(best_any) +
           ", \"any_reduction_repeats\": " + json_bool(repeats) + "}";
  }
};

std::string list(std::initializer_list<std::int64_t> numbers) {
  std::string text;
  for (const std::int64_t n : numbers) text += (text.empty() ? "[" : ", ") + std::to_string(n);
  return text + "]";
}

const char* type_name(const Operand& x) {
  return x.dtype == Dtype::kBFloat16 ? "bfloat16" : "float32";
}

/// Describes the product: row-major C (m, n) = op(A) (m, k) op(B) (k, n), `batch` times.
std::string describe(const Gemm& g, const GemmPlans::Key& key) {
  return "\"m\": " + std::to_string(g.m) + ", \"n\": " + std::to_string(g.n) +
         ", \"k\": " + std::to_string(g.k) + ", \"batch\": " + std::to_string(g.batch) +
         ", \"trans_a\": " + json_bool(g.trans_a) + ", \"trans_b\": " + json_bool(g.trans_b) +
         ", \"factors\": \"" + type_name(g.a) + "\", \"result\": \"" + type_name(g.c) +
         "\", \"bias\": " + json_bool(static_cast<bool>(g.bias)) +
         ", \"beta\": " + format_number(g.beta) + ", \"ld\": " + list({g.lda, g.ldb, g.ldc}) +
         ", \"stride\": " + list({g.stride_a, g.stride_b, g.stride_c}) + ", \"alignment\": " +
         list({key[GemmPlans::kAlignA], key[GemmPlans::kAlignB], key[GemmPlans::kAlignC]});
}

/// One JSON object for a product that a run issues `calls` times.
std::string time(const GemmPlans& plans, const GemmPlans::Key& key, const GemmPlans::Plan& plan,
                 std::int64_t calls, int algorithms, OperandFiller* filler, Totals* totals) {
  PlanTimer timer(plans, plan);
  const double engine = timer.engine();
  const TimedAlgorithm best = timer.best(kOwnPass, algorithms);
  const TimedAlgorithm any = timer.first(any_reduction(plan.last));
  const TimedAlgorithm best_any = timer.best(any_reduction(plan.last), algorithms);
  const bool repeats = timer.repeats(any.algorithm, filler);
  const auto times = static_cast<double>(calls);
  ++totals->products;
  totals->calls += calls;
  totals->tflop += times * flop_of(plan.last) * 1e-12;
  totals->engine += times * engine;
  totals->best += times * best.us;
  totals->any_reduction += times * any.us;
  totals->best_any += times * best_any.us;
  totals->repeats = totals->repeats && repeats;
  return "{" + describe(plan.last, key) + ", \"calls\": " + std::to_string(calls) +
         ", \"engine_us\": " + format_number(engine) +
         ", \"engine_tflops\": " + format_number(tflops(plan.last, engine)) +
         ", \"best_us\": " + format_number(best.us) +
         ", \"any_reduction_us\": " + format_number(any.us) +
         ", \"best_any_reduction_us\": " + format_number(best_any.us) +
         ", \"any_reduction_repeats\": " + json_bool(repeats) +
         ", \"engine\": " + algorithm_as_json(plan.algorithm) +
         ", \"best\": " + algorithm_as_json(best.algorithm) +
         ", \"any_reduction\": " + algorithm_as_json(any.algorithm) +
         ", \"best_any_reduction\": " + algorithm_as_json(best_any.algorithm) + "}";
}

/// Runs the workload once and times its products.
void measure(const Options& options, const NamedPrecision& precision) {
  auto backend =
      std::make_unique<CudaBackend>(CudaOptions{.precision = precision.precision, .graphs = false});
  const GemmPlans& plans = backend->gemms();
  const auto workload = make_workload(options.workload, std::move(backend), options.sizes);
  std::map<GemmPlans::Key, std::int64_t> before;  // setting up also multiplies
  for (const auto& [key, plan] : plans.plans()) before[key] = plan.calls;
  workload->run();
  workload->backend().synchronize();
  std::cout << "{\"precision\": \"" << precision.name << "\", \"products\": [";
  OperandFiller filler;
  Totals totals;
  const char* separator = "\n";
  for (const auto& [key, plan] : plans.plans()) {
    const std::int64_t calls = plan.calls - before[key];
    if (calls == 0) continue;
    filler.fill(plan.last, plans.stream());
    std::cout << separator
              << time(plans, key, plan, calls, static_cast<int>(options.algorithms), &filler,
                      &totals)
              << std::flush;
    separator = ",\n";
  }
  std::cout << "\n], \"totals\": " << totals.as_json() << "}" << std::flush;
}

int run(int argc, char** argv) {
  Options options;
  Cli cli("measure_gemm", "times cuBLASLt on the matrix products that the engine issues");
  cli.choice("workload", &options.workload,
             {std::begin(kPaperWorkloads), std::end(kPaperWorkloads)},
             "train, predict or attribute");
  cli.choice("precision", &options.precision, {"fp32-fma", "tf32", "bf16", "all"},
             "fp32-fma, tf32, bf16 or all");
  cli.number("algorithms", &options.algorithms, 1, 64, "algorithms tried for each product");
  add_sizes(&cli, &options.sizes);
  if (!cli.parse(argc, argv)) return kExitDone;
  config_of(options.sizes);
  const std::string gpu = gpu_name();
  std::cout << "{\"gpu\": \"" << gpu << "\", \"cublaslt\": " << cublasLtGetVersion()
            << ", \"workload\": \"" << options.workload << "\", " << sizes_as_json(options.sizes)
            << ", \"algorithms\": " << options.algorithms << ", \"precisions\": [";
  const char* separator = "\n";
  for (const NamedPrecision& precision : kPrecisions) {
    if (options.precision != "all" && options.precision != precision.name) continue;
    std::cout << separator;
    measure(options, precision);
    separator = ",\n";
  }
  std::cout << "\n]}\n";
  return 0;
}

}  // namespace
}  // namespace cdt::measure

int main(int argc, char** argv) {
  return cdt::run_main("measure_gemm", argc, argv, cdt::measure::run);
}
