// Reads each DNA window of a data set once, in shuffled order, as an epoch of training does, but
// computes nothing. Prints one line: seconds, and MB that the windows have.
//
//   read_bench --data DIR [--readers 8] [--check] [--cache DIR] [--cache-size GB] [--seed 0]
//
// --readers: threads that read a batch, 8 in a feed for a GPU and 1 on the CPU (model/dna_feed.h).
// --check: reads all windows in order too, on a thread of its own, as training does while its first
// epoch runs (apps/train/dna_check.h).
#include <algorithm>
#include <chrono>
#include <future>
#include <iostream>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "apps/common/session.h"
#include "apps/train/dna_check.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kBatch = 8;

using Rows = std::vector<std::int32_t>;

Rows shuffled_rows(const Dataset& data, std::int64_t seed) {
  Rows rows(static_cast<std::size_t>(data.enhancers_count()));
  std::iota(rows.begin(), rows.end(), 0);
  std::shuffle(rows.begin(), rows.end(), std::mt19937_64(static_cast<std::uint64_t>(seed)));
  return rows;
}

/// Reads the rows of a batch, several threads at a time.
void read_batch(const Dataset& data, const Rows& rows, std::size_t readers) {
  const auto read = [&](std::size_t first) {
    std::vector<float> window(static_cast<std::size_t>(data.bins * data.dna_dim));
    for (std::size_t i = first; i < rows.size(); i += readers) {
      data.read_dna(rows[i], window.data());
    }
  };
  std::vector<std::future<void>> threads;
  for (std::size_t i = 0; i < readers; ++i) {
    threads.push_back(std::async(std::launch::async, read, i));
  }
  for (std::future<void>& thread : threads) thread.get();
}

int run(int argc, char** argv) {
  CommonOptions options;
  std::int64_t readers = kBatch;
  bool check = false;
  Cli cli("cdt-read-bench", "Times an epoch of reading DNA.");
  cli.common(&options, {"data", "cache", "seed"});
  cli.number("readers", &readers, 1, kBatch, "threads that read a batch");
  cli.flag("check", &check, "also read all windows in order");
  cli.require({"data"});
  if (!cli.parse(argc, argv)) return kExitDone;
  const auto start = std::chrono::steady_clock::now();
  const Dataset data = open_data(options);
  std::optional<DnaCheck> pass;
  if (check) pass.emplace(data);
  const Rows rows = shuffled_rows(data, options.seed);
  for (std::size_t at = 0; at < rows.size(); at += kBatch) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(at);
    const auto size = static_cast<std::ptrdiff_t>(std::min(kBatch, rows.size() - at));
    read_batch(data, Rows(begin, begin + size), static_cast<std::size_t>(readers));
  }
  if (pass && !pass->wait(true)) throw Error("interrupted");
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double bytes = static_cast<double>(rows.size()) *
                       static_cast<double>(data.bins * data.dna_dim) * sizeof(float);
  std::cout << seconds << '\t' << bytes / 1e6 << '\n';
  return kExitDone;
}

}  // namespace
}  // namespace cdt

int main(int argc, char** argv) { return cdt::run_main("cdt-read-bench", argc, argv, cdt::run); }
