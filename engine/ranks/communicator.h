// The processes of a data-parallel run, called ranks: how many there are, sums of their gradients,
// and small messages between their hosts. Every rank makes the same calls in the same order.
//
// Sums have the same bits on every run with as many ranks, whatever the library and the network:
// the library only moves data. Each rank receives its share of the elements from all ranks, adds
// them in the order of the ranks, and sends the sums to all others (reduce-scatter and all-gather).
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace cdt {

/// Ends a rank without a message of its own, because another rank says why the run ends.
class RankEnded : public std::exception {
 public:
  /// exit_code: of this process.
  explicit RankEnded(int exit_code = 1) : exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }
  const char* what() const noexcept override { return "another rank ended the run"; }

 private:
  int exit_code_;
};

class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  // 0 .. size() - 1
  virtual int size() const = 0;

  /// Starts to replace data(n), float32 on the device, by its sum over the ranks: each element in
  /// float64 in the order of the ranks, then rounded. Includes what kernels launched before the
  /// call write. Several sums may be under way.
  virtual void start_sum(const Tensor& data) = 0;
  /// After this call, kernels see all the sums started so far.
  virtual void wait_sums() = 0;

  /// Returns what each rank passed, by rank.
  virtual std::vector<std::string> gather(const std::string& mine) = 0;

  /// This rank's place among the ranks of its host, from 0.
  virtual int host_rank() const = 0;
  /// `act` is called once, on a thread of the communicator, when another rank has failed or is
  /// lost: it ends what this rank waits for on its device. The next call then throws. Null: nothing
  /// is called any more.
  virtual void when_lost(std::function<void()> act) = 0;
  /// Waits for the other ranks to call this too; no call may follow. Destruction does it, except
  /// while an exception passes: then the other ranks are told to end with RankEnded.
  virtual void leave() = 0;
};

/// Returns the values that each rank passed, by rank.
std::vector<std::vector<float>> gather_floats(Communicator& ranks, std::span<const float> values);

/// Part `part` of `parts` of n elements: [begin, end). Parts differ by at most one element.
struct Slice {
  std::int64_t begin = 0, end = 0;
  std::int64_t count() const { return end - begin; }
};
inline Slice slice_of(std::int64_t n, std::int64_t part, std::int64_t parts) {
  return {n * part / parts, n * (part + 1) / parts};
}

/// Number of ranks that mpirun or srun has started this process as one of; 1 without them.
int launched_ranks();

/// A run of one process.
std::unique_ptr<Communicator> make_lone_communicator();

/// Whether this build has MPI.
bool mpi_built();
/// Joins the ranks that mpirun or srun started (MPI 3, C interface). A rank that dies, or does not
/// answer for 20 seconds, makes the calls of the others throw Error. Throws InputError if this
/// build has no MPI. In builds without MPI, engine/ranks/no_mpi.cc implements these functions.
std::unique_ptr<Communicator> make_mpi_communicator();

}  // namespace cdt
