// The thread of a rank that makes all its MPI calls, so that messages move while other threads
// compute, and that watches over the other ranks: ranks of the same host by their process, the rank
// before this one by the signs of life it sends every second.
#pragma once

#include <mpi.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cdt {

class MpiThread {
 public:
  /// Starts MPI. Throws Error if that fails.
  MpiThread();
  /// Calls leave(); while an exception passes, tells the other ranks to end instead.
  ~MpiThread();
  MpiThread(const MpiThread&) = delete;
  MpiThread& operator=(const MpiThread&) = delete;

  int rank() const { return rank_; }
  int size() const { return static_cast<int>(peers_.size()); }
  int host_rank() const;

  /// Runs jobs on the thread, one after the other. The future throws what the job throws.
  std::future<void> run(std::function<void()> job);
  /// `act` is called on the thread, once, when another rank has failed or is lost.
  /// Null: nothing is, from the return of this call on.
  void when_lost(std::function<void()> act);
  /// Ends MPI together with the other ranks; no call may follow.
  void leave();

  /// For jobs: the communicator of their messages.
  MPI_Comm jobs() const { return jobs_; }
  /// For jobs: waits until the request is complete. Throws Error naming a rank that is lost, on
  /// one of the ranks that are left; RankEnded on the others, and after another rank failed.
  void await(MPI_Request request);
  /// For jobs: throws Error naming the call if its result is not MPI_SUCCESS.
  static void check(int result, const char* call);

 private:
  using Clock = std::chrono::steady_clock;
  /// Where a rank runs.
  struct Peer {
    std::array<char, 64> host{};      // its name
    std::array<char, 128> machine{};  // equal for ranks that see each other's processes
    std::int64_t process = 0;
  };

  void live();
  void start();
  void watch();
  void look_at_ranks();
  void look_for_messages();
  /// Receives what a rank of this host said before it ended.
  void hear_last_words();
  /// A rank is lost, as its whole host knows (`seen`), or only this rank.
  void lose(int rank, const std::string& how, bool seen);
  void send_failure();
  bool same_host(int rank, int other) const;
  bool same_host(int rank) const { return same_host(rank, rank_); }
  std::string name_of(int rank) const;

  int rank_ = 0;
  std::vector<Peer> peers_;
  MPI_Comm jobs_ = MPI_COMM_NULL, signs_ = MPI_COMM_NULL;
  MPI_Request sign_ = MPI_REQUEST_NULL;  // the last sign of life sent
  Clock::time_point heard_, sent_, watched_;
  std::exception_ptr lost_;  // why no job can be completed any more
  std::mutex loss_mutex_;    // held while this is called, so that it can be taken back:
  std::function<void()> act_on_loss_;

  int exceptions_;       // passing when this was made
  bool failed_ = false;  // this rank failed
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::packaged_task<void()>> queue_;
  bool leaving_ = false;
  std::thread thread_;
  std::promise<void> started_;
};

}  // namespace cdt
