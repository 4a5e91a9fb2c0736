// Sums over ranks by NCCL's calls: as many processes as ranks, each with an emulated GPU.
#include "tests/emulation/include/nccl.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/error.h"
#include "engine/random.h"
#include "engine/ranks/communicator.h"
#include "tests/emulation/emulation.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

constexpr int kMostRanks = 3;
constexpr std::int64_t kMostFloats = 1 << 14;

/// What the processes of a test share.
struct Board {
  std::atomic<int> arrived;
  std::array<std::array<char, 256>, kMostRanks> texts;
  std::array<std::size_t, kMostRanks> sizes;
  std::array<std::array<float, kMostFloats>, kMostRanks> results;
  std::array<std::array<char, 512>, kMostRanks> errors;
};

/// The hosts of the ranks, which here have short messages only.
class BoardHosts : public Communicator {
 public:
  BoardHosts(Board& board, int rank, int size) : board_(board), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int host_rank() const override { return rank_; }
  void when_lost(std::function<void()> /*act*/) override {}
  void leave() override {}
  void start_sum(const Tensor& /*data*/) override { FAIL() << "a sum on the host"; }
  void wait_sums() override {}

  std::vector<std::string> gather(const std::string& mine) override {
    const auto own = static_cast<std::size_t>(rank_);
    mine.copy(board_.texts[own].data(), board_.texts[own].size());
    board_.sizes[own] = mine.size();
    meet();
    std::vector<std::string> out;
    for (std::size_t r = 0; r < static_cast<std::size_t>(size_); ++r) {
      out.emplace_back(board_.texts[r].data(), board_.sizes[r]);
    }
    meet();
    return out;
  }

 private:
  void meet() {
    const int wanted = ++meetings_ * size_;
    for (++board_.arrived; board_.arrived < wanted;) usleep(100);
  }

  Board& board_;
  int rank_, size_;
  int meetings_ = 0;
};

/// What a process does as a rank; it returns its result.
using Work = std::function<Floats(Backend& backend, Communicator& ranks)>;

/// Runs `work` in `size` processes.
class Ranks {
 public:
  explicit Ranks(int size)
      : size_(size),
        board_(static_cast<Board*>(mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Ranks() { munmap(board_, sizeof(Board)); }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  /// The ranks' errors, "" of those that had none.
  std::vector<std::string> run(const Work& work) {
    std::vector<pid_t> processes;
    for (int rank = 0; rank < size_; ++rank) {
      const pid_t process = fork();
      if (process == 0) child(rank, work);
      processes.push_back(process);
    }
    std::vector<std::string> out;
    for (int rank = 0; rank < size_; ++rank) {
      int status = 0;
      waitpid(processes[static_cast<std::size_t>(rank)], &status, 0);
      EXPECT_TRUE(WIFEXITED(status)) << "rank " << rank << " was killed";
      out.emplace_back(board_->errors[static_cast<std::size_t>(rank)].data());
    }
    return out;
  }
  const float* result(int rank) const {
    return board_->results[static_cast<std::size_t>(rank)].data();
  }

 private:
  [[noreturn]] void child(int rank, const Work& work) {
    try {
      const auto backend = make_cuda_backend({});
      BoardHosts hosts(*board_, rank, size_);
      const auto ranks = backend->device_ranks(hosts);
      const Floats result = work(*backend, *ranks);
      std::memcpy(board_->results[static_cast<std::size_t>(rank)].data(), result.data(),
                  result.size() * sizeof(float));
    } catch (const std::exception& error) {
      std::string(error.what()).copy(board_->errors[static_cast<std::size_t>(rank)].data(), 511);
    }
    _exit(0);
  }

  int size_;
  Board* board_;
};

/// The elements of a rank before the sum. Every second one of ranks 0 and 1 is large and cancels,
/// so that the order matters.
Floats elements(int rank, std::int64_t n) {
  RandomStream own(7, static_cast<std::uint32_t>(rank)), shared(7, 10);
  Floats out;
  for (std::int64_t i = 0; i < n; ++i) {
    const double large = (rank == 0 ? 0x1p40 : -0x1p40) * shared.normal(), small = own.normal();
    out.push_back(static_cast<float>(i % 2 == 0 && rank < 2 ? large : small));
  }
  return out;
}

/// In float64 and in the order given.
Floats plain_sum(const std::vector<int>& ranks, std::int64_t n) {
  std::vector<double> sums(static_cast<std::size_t>(n));
  for (const int rank : ranks) {
    const Floats part = elements(rank, n);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += part[i];
  }
  return {sums.begin(), sums.end()};
}

/// Two sums, of n and of 1 element, and a kernel after them, in a step that is recorded and
/// replayed.
Floats summed_step(Backend& backend, Communicator& ranks, std::int64_t n) {
  Arena arena(backend, "tensors");
  const Tensor data = arena.tensor({n}), one = arena.tensor({1}), start = arena.tensor({n}),
               after = arena.tensor({n});
  backend.upload(start, elements(ranks.rank(), n).data());
  for (int step = 0; step < 3; ++step) {
    backend.run_recorded("step", {data, one}, [&] {
      backend.copy(data, start);
      backend.copy(one, start.slice(0, 1));
      ranks.start_sum(data);
      ranks.start_sum(one);
      ranks.wait_sums();
      backend.copy(after, data);
    });
  }
  Floats out = to_host(backend, after);
  out.push_back(to_host(backend, one).front());
  return out;
}

TEST(Nccl, SumsHaveTheBitsOfThePlainSum) {
  for (const int size : {1, 2, 3}) {
    for (const std::int64_t n : {1, 2, 5, 1025, 9001}) {
      for (const bool lazy : {false, true}) {
        Ranks ranks(size);
        const auto errors = ranks.run([&](Backend& backend, Communicator& own) {
          emulation::set_lazy(lazy);
          return summed_step(backend, own, n);
        });
        std::vector<int> order(static_cast<std::size_t>(size));
        std::iota(order.begin(), order.end(), 0);
        Floats want = plain_sum(order, n);
        want.push_back(want.front());
        for (int rank = 0; rank < size; ++rank) {
          EXPECT_EQ(errors[static_cast<std::size_t>(rank)], "");
          EXPECT_EQ(Floats(ranks.result(rank), ranks.result(rank) + want.size()), want)
              << size << " ranks, " << n << " elements, rank " << rank;
        }
      }
    }
  }
}

TEST(Nccl, AnotherOrderHasOtherBits) {
  for (const std::vector<int>& order : {std::vector{2, 1, 0}, {0, 2, 1}, {1, 2, 0}}) {
    EXPECT_NE(plain_sum(order, 5), plain_sum({0, 1, 2}, 5));
  }
}

TEST(Nccl, ErrorsNameTheCallAndItsPlace) {
  const auto errors_with = [](const char* planted) {
    setenv("CDT_EMULATED_NCCL", planted, 1);
    Ranks ranks(2);
    auto errors =
        ranks.run([](Backend& backend, Communicator& own) { return summed_step(backend, own, 5); });
    unsetenv("CDT_EMULATED_NCCL");
    return errors;
  };
  for (const std::string& error : errors_with("failing")) {
    EXPECT_NE(error.find("nccl: group_end() at engine/cuda/nccl_communicator.cc:"),
              std::string::npos)
        << error;
    EXPECT_NE(error.find(": unhandled system error, as planted"), std::string::npos) << error;
  }
  for (const std::string& error : errors_with("missing")) {
    EXPECT_EQ(error, "NCCL: library: libnccl.so.2 is not there; several processes on GPUs need it");
  }
  for (const std::string& error : errors_with("old")) {
    EXPECT_EQ(error, "NCCL: version: too old (expected 2.18.0 or newer, got 2.12.5)");
  }
}

/// What NCCL's calls return for mistakes, and in the end the error of the work.
Floats mistakes(Backend& /*backend*/, Communicator& own) {
  ncclUniqueId id{};
  ncclGetUniqueId(&id);
  std::memcpy(id.internal, own.gather({id.internal, sizeof id.internal}).front().data(),
              sizeof id.internal);
  ncclComm_t comm = nullptr;
  ncclCommInitRank(&comm, 2, id, own.rank());
  const int peer = 1 - own.rank();
  float on_host[4] = {};
  float* on_device = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&on_device), sizeof on_host);
  const auto sent = [&](const float* data, std::size_t count, int to) {
    return static_cast<float>(ncclSend(data, count, ncclFloat, to, comm, nullptr));
  };
  Floats out = {sent(on_device, 4, peer)};  // outside a group
  ncclGroupStart();
  out.insert(out.end(), {sent(on_host, 4, peer), sent(on_device, 5, peer), sent(on_device, 4, 2)});
  ncclGroupEnd();
  ncclGroupStart();
  if (own.rank() == 0) {
    sent(on_device, 4, peer);
  } else {
    ncclRecv(on_device, 3, ncclFloat, peer, comm, nullptr);
  }
  ncclGroupEnd();
  out.push_back(static_cast<float>(cudaDeviceSynchronize()));
  return out;
}

TEST(Nccl, MistakesAreRefused) {
  Ranks ranks(2);
  ranks.run(mistakes);
  const Floats refused = {ncclInvalidUsage, ncclInvalidArgument, ncclInvalidArgument,
                          ncclInvalidArgument};
  for (const int rank : {0, 1}) {
    const float* const got = ranks.result(rank);
    EXPECT_EQ(Floats(got, got + 4), refused) << rank;
    EXPECT_EQ(got[4], static_cast<float>(rank == 0 ? cudaSuccess : cudaErrorLaunchFailure));
  }
}

// The rank that is left must not wait for ever.
TEST(Nccl, ARankThatEndsIsNoticed) {
  Ranks ranks(2);
  const auto errors = ranks.run([](Backend& backend, Communicator& own) {
    if (own.rank() == 1) _exit(0);
    return summed_step(backend, own, 5);
  });
  EXPECT_NE(errors[0].find("cuda: "), std::string::npos) << errors[0];
}

}  // namespace
}  // namespace cdt::test
