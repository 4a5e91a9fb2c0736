// Times the sum of gradients over ranks: all 60,093,752 of the released model, in the buckets that
// training uses, with nothing computed meanwhile; the addition of what a rank receives, alone; and,
// in sums of one element for each rank, a message. A sum is 2 (ranks - 1) messages of each rank.
//
//   mpirun -n RANKS build/tests/measure_sums [TIMES]
//
// Rank 0 prints, as TSV, a row for each of TIMES repetitions (5).
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/cpu/cpu_backend.h"
#include "engine/ranks/communicator.h"
#include "engine/ranks/gradient_sum.h"
#include "engine/ranks/ordered_sum.h"

namespace cdt {
namespace {

constexpr std::int64_t kParameters = 60093752;
constexpr int kSmallSums = 200;

template <class Work>
double seconds(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// one_each(N): an element for each of the N ranks.
double message_seconds(Communicator& ranks, const Tensor& one_each) {
  if (ranks.size() == 1) return 0.0;
  ranks.gather("");
  const double all = seconds([&] {
    for (int i = 0; i < kSmallSums; ++i) {
      ranks.start_sum(one_each);
      ranks.wait_sums();
    }
  });
  return all / kSmallSums / (2 * (ranks.size() - 1));
}

void measure(Communicator& ranks, int times) {
  CpuBackend backend(1);
  Arena lasting(backend, "lasting");
  Variable all{.value = {}, .grad = lasting.tensor({kParameters})};
  GradientSum sum(ranks, all.grad, {&all});
  const std::int64_t share = (kParameters + ranks.size() - 1) / ranks.size();
  std::vector<float> parts(static_cast<std::size_t>(share * ranks.size()), 1.0F),
      sums(parts.size());
  const double sent = 2.0 * (ranks.size() - 1) / ranks.size() * kParameters * sizeof(float);
  if (ranks.rank() == 0) {
    std::puts("ranks\tsum_s\tsent_bytes\tsent_bytes_per_s\tadding_s\tadded_bytes_per_s\tmessage_s");
  }
  for (int i = 0; i < times; ++i) {
    backend.fill(all.grad, 1.0F);
    ranks.gather("");
    const double summed = seconds([&] {
      sum.begin();
      sum.finish();
    });
    const double added =
        seconds([&] { add_in_order(parts.data(), ranks.size(), share, sums.data()); });
    const double message = message_seconds(ranks, all.grad.slice(0, ranks.size()));
    if (ranks.rank() > 0) continue;
    std::printf("%d\t%.4f\t%.0f\t%.3e\t%.4f\t%.3e\t%.3e\n", ranks.size(), summed, sent,
                sent / summed, added, static_cast<double>(parts.size() * sizeof(float)) / added,
                message);
  }
}

}  // namespace
}  // namespace cdt

int main(int argc, char** argv) {
  const auto ranks =
      cdt::launched_ranks() == 1 ? cdt::make_lone_communicator() : cdt::make_mpi_communicator();
  cdt::measure(*ranks, argc > 1 ? std::max(1, std::atoi(argv[1])) : 5);
  return 0;
}
