// Times a training step, prediction and attribution at the sizes of the paper, on random weights
// and inputs. Prints one JSON object on stdout, workload by workload. Each workload runs in its own
// process, so that its peak memory is measured separately.
//
//   paper_bench [--device cpu] [--precision fp32] [--workloads train,predict,attribute]
//               [--attention auto] [--no-graph] [--profile] [--repeat 3] [--batch 8] [--bins 896]
//               ...
//   paper_bench --same-bits ...         bits of recorded steps against kernel-by-kernel launches
//   paper_bench --attribution-only ...  genes per enhancer, compared with the plain way
//   paper_bench --readouts ...          the gene readout, compared with the column readout
//
// Device memory is the peak use of the arenas; the libraries' own workspaces are not counted.
// --profile adds, for each workload, the time by op of its timed runs (docs/formats.md,
// profile.json), and prints it as a table on stderr.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "engine/profiler.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"
#include "tests/bench/paper_child.h"
#include "tests/bench/paper_same_bits.h"
#include "tests/bench/paper_workloads.h"
#include "tests/bench/random_numbers.h"

namespace cdt {
namespace {

struct Options {
  PaperSizes sizes;
  std::int64_t repeat = 3;
  std::vector<std::string> workloads;
  bool same_bits = false, attribution_only = false, all_genes = false, readouts = false;
  CommonOptions common;  // device, precision, threads
};

// Sent by a child process to its parent.
struct Timing {
  double seconds = 0;  // per result: median of the repeats, after the warm-up
  double device_bytes = 0;
};
struct Result {
  Timing timing;
  double peak_bytes = 0;  // resident, on the host
  std::string profile;    // JSON; empty if not requested
};

// Seconds of a run on an idle device, until its work is done.
double seconds_of_run(PaperWorkload& workload) {
  Backend& backend = workload.backend();
  backend.synchronize();
  const auto start = std::chrono::steady_clock::now();
  workload.run();
  backend.synchronize();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  return passed.count();
}

// On the CPU one run warms up. A GPU chooses kernels in the first, records the second and prepares
// the recording in a third; its clocks keep rising for some time after that.
void warm_up(PaperWorkload& workload) {
  if (!workload.backend().asynchronous()) {
    seconds_of_run(workload);
    return;
  }
  constexpr int kRuns = 3;
  constexpr double kSeconds = 0.5;
  double passed = 0;
  for (int i = 0; i < kRuns || passed < kSeconds; ++i) passed += seconds_of_run(workload);
}

Timing time(PaperWorkload& workload, std::int64_t repeat) {
  warm_up(workload);
  Profiler* const profiler = workload.backend().profiler();
  if (profiler != nullptr) profiler->clear();
  std::vector<double> seconds(static_cast<std::size_t>(repeat));
  for (double& s : seconds) s = seconds_of_run(workload);
  const auto middle = seconds.begin() + static_cast<long>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return {*middle / static_cast<double>(workload.results()),
          static_cast<double>(workload.backend().used_bytes())};
}

// Memory shared with a child, which writes its profile to it.
using TemporaryFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void leave_profile(const char* name, Backend& backend, std::FILE* file) {
  std::cerr << name << "\n" << profile_table(backend);
  const std::string json = profile_json(backend);
  const bool written = std::fwrite(json.data(), 1, json.size(), file) == json.size();
  if (!written || std::fflush(file) != 0) throw Error("paper_bench: a profile cannot be kept");
}

std::string text_of(std::FILE* file) {
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  return text;
}

Result time_in_child(const char* name, const Options& options,
                     const std::function<std::unique_ptr<PaperWorkload>(std::unique_ptr<Backend>,
                                                                        const PaperSizes&)>& make) {
  const bool profiled = options.common.profile;
  const TemporaryFile profile(profiled ? std::tmpfile() : nullptr, &std::fclose);
  if (profiled && profile == nullptr) throw Error("paper_bench: no temporary file");
  const auto back = in_child<Timing>(name, [&] {
    const auto workload = make(open_backend(options.common), options.sizes);
    const Timing timing = time(*workload, options.repeat);
    if (profiled) leave_profile(name, workload->backend(), profile.get());
    return timing;
  });
  return {back.result, back.peak_bytes, profiled ? text_of(profile.get()) : ""};
}

Result time_attribution(const Options& options, std::vector<std::int32_t> genes) {
  return time_in_child("attribution", options, [&](auto backend, const PaperSizes& sizes) {
    return make_attribution(std::move(backend), sizes, genes);
  });
}

// The configuration behind the numbers.
std::string head(const Options& options) {
  return "{\"device\": \"" + options.common.device + "\", \"precision\": \"" +
         options.common.precision + "\", \"attention\": \"" + options.common.attention + "\", " +
         sizes_as_json(options.sizes) + ", \"threads\": " + std::to_string(options.common.threads) +
         ", \"repeat\": " + std::to_string(options.repeat) +
         ", \"graphs\": " + json_bool(!options.common.no_graph) +
         ", \"profiled\": " + json_bool(options.common.profile);
}

// The numbers of a workload under their names.
std::string numbers(const std::string& seconds_name, const std::string& workload, const Result& r) {
  return ", \"" + seconds_name + "\": " + format_number(r.timing.seconds) + ", \"" + workload +
         "_peak_rss_bytes\": " + format_number(r.peak_bytes) + ", \"" + workload +
         "_peak_device_bytes\": " + format_number(r.timing.device_bytes) +
         (r.profile.empty() ? "" : ", \"" + workload + "_profile\": " + r.profile);
}

std::string measure(const std::string& workload, const Options& options) {
  if (workload == "train") {
    return numbers("train_step_s", "train", time_in_child("training", options, make_training));
  }
  if (workload == "predict") {
    return numbers("predict_s_per_enhancer", "predict",
                   time_in_child("prediction", options, make_prediction));
  }
  std::vector<std::int32_t> four{0, 1, 2, 3};
  for (std::int32_t& gene : four) gene %= static_cast<std::int32_t>(options.sizes.genes);
  return numbers("attribute_s_per_pair", "attribute", time_attribution(options, {0})) +
         numbers("attribute_s_per_pair_four_genes", "attribute_four_genes",
                 time_attribution(options, four));
}

int measure_all(const Options& options) {
  std::string separator = head(options);
  for (const std::string& workload : options.workloads) {
    const std::string measured = measure(workload, options);
    std::cout << separator << measured << std::flush;
    separator.clear();
  }
  std::cout << "}\n";
  return 0;
}

// Genes per enhancer against the plain way, in one run: seconds per pair and their ratio.
int compare_attribution(const Options& options) {
  const double plain =
      time_in_child("plain attribution", options, make_plain_attribution).timing.seconds;
  std::cout << head(options) << ", \"plain_s_per_pair\": " << format_number(plain);
  std::vector<std::int64_t> counts{1, 8, 64};
  if (options.all_genes) counts.push_back(options.sizes.genes);
  for (const std::int64_t count : counts) {
    std::vector<std::int32_t> genes;
    for (std::int64_t i = 0; i < count; ++i) {
      genes.push_back(static_cast<std::int32_t>(i % options.sizes.genes));
    }
    const double seconds = time_attribution(options, genes).timing.seconds;
    std::cout << ", \"" << count << "_genes\": {\"s_per_pair\": " << format_number(seconds)
              << ", \"plain_over_this\": " << format_number(plain / seconds) << "}" << std::flush;
  }
  std::cout << "}\n";
  return 0;
}

// Training and prediction with the gene readout against the column readout, in one run: seconds and
// their ratio. Both take turns, so that a machine that slows down meanwhile slows down both.
int compare_readouts(Options options) {
  std::cout << head(options);
  for (const std::string workload : {"train", "predict"}) {
    const auto make = workload == "train" ? make_training : make_prediction;
    std::array<std::vector<double>, 2> seconds;
    for (std::int64_t i = 0; i < options.repeat; ++i) {
      for (const Readout readout : {Readout::kColumn, Readout::kGene}) {
        Options once = options;
        once.repeat = 1;
        once.sizes.readout = readout;
        seconds[readout == Readout::kGene ? 1 : 0].push_back(
            time_in_child(workload.c_str(), once, make).timing.seconds);
      }
    }
    const double column = median(seconds[0]);
    const double gene = median(seconds[1]);
    std::cout << ", \"" << workload << "\": {\"column_s\": " << format_number(column)
              << ", \"gene_s\": " << format_number(gene)
              << ", \"gene_over_column\": " << format_number(gene / column) << "}" << std::flush;
  }
  std::cout << "}\n";
  return 0;
}

// The comma-separated names, each one of kPaperWorkloads.
std::vector<std::string> workloads_named(const std::string& text) {
  std::vector<std::string> names;
  for (const std::string_view name : split(text, ',')) {
    if (std::find(std::begin(kPaperWorkloads), std::end(kPaperWorkloads), name) ==
        std::end(kPaperWorkloads)) {
      throw InputError("command line", "--workloads",
                       expected_got("no such workload", "train, predict or attribute", name));
    }
    names.emplace_back(name);
  }
  return names;
}

int run(int argc, char** argv) {
  Options options;
  std::string workloads = "train,predict,attribute";
  options.common.device = "cpu";
  Cli cli("paper_bench", "times CDT at paper scale on this machine");
  add_sizes(&cli, &options.sizes);
  cli.number("repeat", &options.repeat, 1, 1e5, "timed runs of each workload; the median counts");
  cli.option("workloads", &workloads, "which to time, separated by commas");
  cli.flag("same-bits", &options.same_bits,
           "compare training recorded, launched kernel by kernel and recorded again, bit by bit");
  cli.flag("attribution-only", &options.attribution_only,
           "compare 1, 8 and 64 genes per enhancer with the plain way, nothing else");
  cli.flag("all-genes", &options.all_genes, "with --attribution-only: all genes per enhancer too");
  cli.flag("readouts", &options.readouts,
           "compare training and prediction with the gene readout with the released one, nothing "
           "else");
  cli.flag("profile", &options.common.profile, "add time by op; a table on stderr");
  cli.common(&options.common, {"device", "precision", "attention", "threads"});
  if (!cli.parse(argc, argv)) return kExitDone;
  options.workloads = workloads_named(workloads);
  config_of(options.sizes);  // InputError if they do not fit
  random_numbers();          // before forking, so that the children have them
  if (options.same_bits) return compare_bits(options.sizes, options.common);
  if (options.attribution_only) return compare_attribution(options);
  if (options.readouts) return compare_readouts(options);
  return measure_all(options);
}

}  // namespace
}  // namespace cdt

int main(int argc, char** argv) { return cdt::run_main("paper_bench", argc, argv, cdt::run); }
