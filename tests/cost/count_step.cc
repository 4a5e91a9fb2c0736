// Lists the work that a training step, a batch of predictions and an attribution request from a
// GPU, at the sizes of the paper, on the emulated GPU without computing it. Prints one line on
// stdout for each kind of launch, product or copy; the first line names the tab-separated columns.
// tests/cuda_cost.awk turns them into a cost. The workloads' results are meaningless: losses and
// norms are whatever was in the host's memory.
//
// A last line for each workload has the bytes of device memory, the number of results per run, and
// the peak bytes of the arenas: lasting, step and scratch.
//
//   count_step [--workloads train,predict,attribute] [--precisions bf16,tf32,fp32] [--batch 8] ...
//   count_step --computed ...   the same list from work that is executed: at small sizes, as a
//   check
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "io/format/text.h"
#include "tests/bench/paper_workloads.h"
#include "tests/cost/counted_backend.h"
#include "tests/emulation/memory.h"

namespace cdt {
namespace {

using emulation::IssueKind;

constexpr const char* kColumns =
    "workload\tprecision\trecorded\tfunction\tkind\tname\tblocks\tdeep\tthreads\tshared\tm\tn\tk\t"
    "problems\tflop\tbytes\telements\tcolumns\tbatch\theads\twidth\tqueries\tkeys\ttimes";

const char* name_of(IssueKind kind) {
  constexpr const char* kNames[] = {"kernel", "product", "copy", "fill"};
  return kNames[static_cast<int>(kind)];
}

/// Launches of the same kernel in one call share its bytes.
double bytes_of(const CountedIssue& c, double launches) {
  return c.issue.kind == IssueKind::kKernel ? c.call.work.bytes / launches
                                            : static_cast<double>(c.issue.bytes);
}

double flop_of(const emulation::Issue& i) {
  return 2.0 * static_cast<double>(i.m) * static_cast<double>(i.n) * static_cast<double>(i.k) *
         static_cast<double>(i.batch);
}

std::string line_of(const CountedIssue& c, double launches) {
  const emulation::Issue& i = c.issue;
  const auto blocks = std::int64_t{i.grid[0]} * i.grid[1] * i.grid[2];
  std::string line = std::string(i.recorded ? "1" : "0") + "\t" + c.call.function + "\t" +
                     name_of(i.kind) + "\t" + i.name;
  for (const std::int64_t number : {blocks, std::int64_t{i.grid[2]}, std::int64_t{i.threads},
                                    static_cast<std::int64_t>(i.shared), i.m, i.n, i.k, i.batch}) {
    line += "\t" + std::to_string(number);
  }
  for (const double number : {flop_of(i), bytes_of(c, launches)}) {
    line += "\t" + format_number(number);
  }
  for (const std::int64_t number : {c.call.elements, c.call.columns, c.call.batch, c.call.heads,
                                    c.call.width, c.call.queries, c.call.keys}) {
    line += "\t" + std::to_string(number);
  }
  return line;
}

/// The end of the consecutive entries that belong to one call.
std::size_t end_of_call(const std::vector<CountedIssue>& list, std::size_t begin) {
  std::size_t end = begin;
  while (end < list.size() && list[end].number == list[begin].number) ++end;
  return end;
}

std::map<std::string, int> lines_of(const std::vector<CountedIssue>& list) {
  std::map<std::string, int> times;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = end_of_call(list, begin);
    std::map<std::string, double> launches;
    for (std::size_t i = begin; i < end; ++i) launches[list[i].issue.name] += 1;
    for (; begin < end; ++begin) {
      ++times[line_of(list[begin], launches[list[begin].issue.name])];
    }
  }
  return times;
}

void count(const std::string& name, const CommonOptions& common, const PaperSizes& sizes) {
  auto counted = make_counted_backend(open_backend(common));
  CountedBackend& backend = *counted;
  const auto workload = make_workload(name, std::move(counted), sizes);
  workload->run();  // runs normally; the second run is recorded
  backend.start();
  workload->run();
  const std::string head = name + "\t" + common.precision + "\t";
  for (const auto& [line, times] : lines_of(backend.take())) {
    std::cout << head << line << "\t" << times << "\n";
  }
  const emulation::MemoryInfo memory = emulation::memory_info();
  std::cout << "# memory\t" << head << memory.total - memory.free << "\t" << workload->results();
  PaperWorld& world = workload->world();
  for (const Arena* arena : {&world.lasting, &world.step, &world.scratch}) {
    std::cout << "\t" << arena->peak();
  }
  std::cout << "\n";
}

int run(int argc, char** argv) {
  PaperSizes sizes;
  std::string workloads = "train,predict,attribute";
  std::string precisions = "bf16,tf32,fp32";
  bool computed = false;
  Cli cli("count_step", "lists what CDT asks a GPU for at paper scale");
  add_sizes(&cli, &sizes);
  cli.option("workloads", &workloads, "which to list, separated by commas");
  cli.option("precisions", &precisions, "in which, separated by commas");
  cli.flag("computed", &computed, "compute what is listed, at small sizes");
  if (!cli.parse(argc, argv)) return kExitDone;
  config_of(sizes);  // InputError if they do not fit
  // As on an H100 or H200: how work is split may depend on this number.
  setenv("CDT_EMULATED_MULTIPROCESSORS", "132", 0);
  emulation::set_dry(!computed);
  std::cout << kColumns << "\n";
  CommonOptions common;
  common.device = "cuda";
  for (const std::string_view precision : split(precisions, ',')) {
    common.precision = precision;
    for (const std::string_view workload : split(workloads, ',')) {
      count(std::string(workload), common, sizes);
    }
  }
  return kExitDone;
}

}  // namespace
}  // namespace cdt

int main(int argc, char** argv) { return cdt::run_main("count_step", argc, argv, cdt::run); }
