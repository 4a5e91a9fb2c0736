#include "engine/ranks/communicator.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace cdt {
namespace {

class LoneCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void start_sum(const Tensor& /*data*/) override {}
  void wait_sums() override {}
  std::vector<std::string> gather(const std::string& mine) override { return {mine}; }
  int host_rank() const override { return 0; }
  void when_lost(std::function<void()> /*act*/) override {}
  void leave() override {}
};

int number_in(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? 0 : std::atoi(value);
}

}  // namespace

std::unique_ptr<Communicator> make_lone_communicator() {
  return std::make_unique<LoneCommunicator>();
}

std::vector<std::vector<float>> gather_floats(Communicator& ranks, std::span<const float> values) {
  std::string bytes(values.size_bytes(), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  std::vector<std::vector<float>> out;
  for (const std::string& rank : ranks.gather(bytes)) {
    std::memcpy(out.emplace_back(rank.size() / sizeof(float)).data(), rank.data(), rank.size());
  }
  return out;
}

int launched_ranks() {
  // Open MPI's mpirun; MPICH's mpiexec and srun --mpi=pmi2.
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const int ranks = number_in(variable); ranks > 0) return ranks;
  }
  // srun --mpi=pmix does not set the size in a variable of its own.
  if (std::getenv("PMIX_RANK") != nullptr) return std::max(1, number_in("SLURM_STEP_NUM_TASKS"));
  return 1;
}

}  // namespace cdt
