// Communicator over MPI, for tensors in host memory. MPI moves bytes; the sums are computed here.
#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/ranks/communicator.h"
#include "engine/ranks/mpi_thread.h"
#include "engine/ranks/ordered_sum.h"

namespace cdt {
namespace {

/// The counts and offsets of the shares of n elements, in the form MPI takes.
struct Shares {
  Shares(std::int64_t n, int parts) {
    for (int r = 0; r < parts; ++r) {
      const Slice share = slice_of(n, r, parts);
      counts.push_back(static_cast<int>(share.count()));
      offsets.push_back(static_cast<int>(share.begin));
    }
  }
  std::vector<int> counts, offsets;
};

class MpiCommunicator : public Communicator {
 public:
  int rank() const override { return mpi_.rank(); }
  int size() const override { return mpi_.size(); }
  int host_rank() const override { return mpi_.host_rank(); }
  void when_lost(std::function<void()> act) override { mpi_.when_lost(std::move(act)); }
  void leave() override { mpi_.leave(); }

  void start_sum(const Tensor& data) override {
    CDT_CHECK(data.dtype == Dtype::kFloat32, "sums over ranks are of float32");
    sums_.push_back(mpi_.run([this, data] { sum(data); }));
  }

  void wait_sums() override {
    for (std::future<void>& sum : std::exchange(sums_, {})) sum.get();
  }

  std::vector<std::string> gather(const std::string& mine) override {
    std::vector<std::string> out;
    mpi_.run([this, &mine, &out] { out = gathered(mine); }).get();
    return out;
  }

 private:
  void sum(const Tensor& data);
  std::vector<std::string> gathered(const std::string& mine);

  std::vector<float> room_;              // this rank's share of a sum, from each rank
  std::vector<std::future<void>> sums_;  // not waited for yet
  MpiThread mpi_;                        // destroyed first: its jobs use the members above
};

void MpiCommunicator::sum(const Tensor& data) {
  const Shares shares(data.count(), size());
  const Slice mine = slice_of(data.count(), rank(), size());
  const Shares received(mine.count() * size(), size());
  room_.resize(std::max(room_.size(), static_cast<std::size_t>(mine.count() * size())));
  MPI_Request request = MPI_REQUEST_NULL;
  MpiThread::check(MPI_Ialltoallv(data.data, shares.counts.data(), shares.offsets.data(), MPI_FLOAT,
                                  room_.data(), received.counts.data(), received.offsets.data(),
                                  MPI_FLOAT, mpi_.jobs(), &request),
                   "MPI_Ialltoallv");
  mpi_.await(request);
  add_in_order(room_.data(), size(), mine.count(), data.at(mine.begin));
  MpiThread::check(
      MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data.data, shares.counts.data(),
                      shares.offsets.data(), MPI_FLOAT, mpi_.jobs(), &request),
      "MPI_Iallgatherv");
  mpi_.await(request);
}

std::vector<std::string> MpiCommunicator::gathered(const std::string& mine) {
  const auto ranks = static_cast<std::size_t>(size());
  const auto own = static_cast<int>(mine.size());
  std::vector<int> counts(ranks), offsets(ranks);
  MPI_Request request = MPI_REQUEST_NULL;
  MpiThread::check(
      MPI_Iallgather(&own, 1, MPI_INT, counts.data(), 1, MPI_INT, mpi_.jobs(), &request),
      "MPI_Iallgather");
  mpi_.await(request);
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
  std::string all(static_cast<std::size_t>(offsets.back() + counts.back()), '\0');
  MpiThread::check(MPI_Iallgatherv(mine.data(), own, MPI_BYTE, all.data(), counts.data(),
                                   offsets.data(), MPI_BYTE, mpi_.jobs(), &request),
                   "MPI_Iallgatherv");
  mpi_.await(request);
  std::vector<std::string> out;
  for (std::size_t r = 0; r < ranks; ++r) {
    out.push_back(
        all.substr(static_cast<std::size_t>(offsets[r]), static_cast<std::size_t>(counts[r])));
  }
  return out;
}

}  // namespace

bool mpi_built() { return true; }

std::unique_ptr<Communicator> make_mpi_communicator() {
  return std::make_unique<MpiCommunicator>();
}

}  // namespace cdt
