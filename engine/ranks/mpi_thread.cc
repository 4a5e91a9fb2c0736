#include "engine/ranks/mpi_thread.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <exception>
#include <fstream>
#include <utility>

#include "engine/error.h"
#include "engine/ranks/communicator.h"

namespace cdt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kGlance{100};  // between looks at the other ranks
constexpr seconds kSignEvery{1};
constexpr seconds kSilence{20};   // after which a rank is lost
constexpr seconds kSuspended{5};  // a gap after which this process cannot blame others for silence
constexpr seconds kLastWords{2};  // for telling others that the run fails
constexpr milliseconds kHearing{300};  // for receiving what a rank said before it ended
constexpr int kSpins = 200;            // polls before a waiting thread sleeps between them
constexpr std::chrono::microseconds kNap{50};
// Tags of messages of watch().
constexpr int kAlive = 1, kFails = 2;

/// Names the running kernel and the processes that can be seen, since hosts may have equal names,
/// and containers of a host do not see each other's processes. Empty without /proc.
std::string machine_name() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::array<char, 64> processes{};
  const ssize_t length = readlink("/proc/self/ns/pid", processes.data(), processes.size() - 1);
  return length > 0 ? boot + processes.data() : boot;
}

}  // namespace

void MpiThread::check(int result, const char* call) {
  if (result == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  throw Error(std::string(call) + " failed: " + std::string(text.data(), text.data() + length));
}

MpiThread::MpiThread() : exceptions_(std::uncaught_exceptions()) {
  std::future<void> started = started_.get_future();
  thread_ = std::thread([this] { live(); });
  try {
    started.get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

MpiThread::~MpiThread() {
  if (std::uncaught_exceptions() > exceptions_ && thread_.joinable()) {
    run([this] {
      failed_ = true;
      send_failure();
    });
  }
  leave();
}

void MpiThread::leave() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::future<void> MpiThread::run(std::function<void()> job) {
  std::packaged_task<void()> task(std::move(job));
  std::future<void> done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
  return done;
}

void MpiThread::start() {
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) throw Error("this MPI library does not support threads");
  check(MPI_Comm_dup(MPI_COMM_WORLD, &jobs_), "MPI_Comm_dup");
  check(MPI_Comm_dup(MPI_COMM_WORLD, &signs_), "MPI_Comm_dup");
  for (MPI_Comm world : {MPI_COMM_WORLD, jobs_, signs_}) {
    check(MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  }
  int size = 0;
  check(MPI_Comm_rank(jobs_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(jobs_, &size), "MPI_Comm_size");
  peers_.resize(static_cast<std::size_t>(size));
  Peer mine;
  mine.process = getpid();
  gethostname(mine.host.data(), mine.host.size() - 1);
  const std::string machine = machine_name();
  (machine.empty() ? std::string(mine.host.data()) : machine)
      .copy(mine.machine.data(), mine.machine.size() - 1);
  check(MPI_Allgather(&mine, sizeof mine, MPI_BYTE, peers_.data(), sizeof mine, MPI_BYTE, jobs_),
        "MPI_Allgather");
  heard_ = sent_ = watched_ = Clock::now();
}

void MpiThread::live() {
  try {
    start();
  } catch (...) {
    started_.set_exception(std::current_exception());
    return;
  }
  started_.set_value();
  while (true) {
    std::packaged_task<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kGlance, [this] { return leaving_ || !queue_.empty(); });
      if (queue_.empty() && leaving_) break;
      if (!queue_.empty()) {
        job = std::move(queue_.front());
        queue_.pop_front();
      }
    }
    if (job.valid()) {
      job();
      continue;
    }
    try {
      watch();
    } catch (...) {
      lost_ = std::current_exception();  // the next job reports it
    }
  }
  if (failed_ || lost_) return;
  try {
    MPI_Request all_here = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(jobs_, &all_here), "MPI_Ibarrier");
    await(all_here);
    look_for_messages();
    MPI_Finalize();
  } catch (const std::exception&) {
    // Another rank failed after this one had done its part; that one says why.
  }
}

void MpiThread::await(MPI_Request request) {
  for (int polls = 0;; ++polls) {
    int done = 0;
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done != 0) return;
    if (lost_) std::rethrow_exception(lost_);
    if (Clock::now() - watched_ >= kGlance) watch();
    if (polls < kSpins) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(kNap);
    }
  }
}

bool MpiThread::same_host(int rank, int other) const {
  return peers_[static_cast<std::size_t>(rank)].machine ==
         peers_[static_cast<std::size_t>(other)].machine;
}

int MpiThread::host_rank() const {
  int n = 0;
  for (int r = 0; r < rank_; ++r) n += same_host(r) ? 1 : 0;
  return n;
}

std::string MpiThread::name_of(int rank) const {
  const Peer& peer = peers_[static_cast<std::size_t>(rank)];
  return "rank " + std::to_string(rank) + " (process " + std::to_string(peer.process) + " on " +
         peer.host.data() + ")";
}

void MpiThread::look_for_messages() {
  while (true) {
    int waiting = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, signs_, &waiting, &status), "MPI_Iprobe");
    if (waiting == 0) return;
    check(MPI_Recv(nullptr, 0, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, signs_,
                   MPI_STATUS_IGNORE),
          "MPI_Recv");
    if (status.MPI_TAG == kFails) lost_ = std::make_exception_ptr(RankEnded());
    heard_ = Clock::now();
  }
}

void MpiThread::when_lost(std::function<void()> act) {
  const std::lock_guard lock(loss_mutex_);
  act_on_loss_ = std::move(act);
}

void MpiThread::watch() {
  if (size() > 1 && !lost_) look_at_ranks();
  if (!lost_) return;
  const std::lock_guard lock(loss_mutex_);
  if (act_on_loss_) std::exchange(act_on_loss_, {})();
}

void MpiThread::look_at_ranks() {
  const Clock::time_point now = Clock::now();
  if (now - watched_ > kSuspended) heard_ = now;
  watched_ = now;
  look_for_messages();
  int idle = 0;
  check(MPI_Test(&sign_, &idle, MPI_STATUS_IGNORE), "MPI_Test");
  if (idle != 0 && now - sent_ >= kSignEvery) {
    check(MPI_Isend(nullptr, 0, MPI_BYTE, (rank_ + 1) % size(), kAlive, signs_, &sign_),
          "MPI_Isend");
    sent_ = now;
  }
  for (int r = 0; r < size() && !lost_; ++r) {
    const auto process = static_cast<pid_t>(peers_[static_cast<std::size_t>(r)].process);
    if (same_host(r) && kill(process, 0) != 0 && errno == ESRCH) lose(r, "has ended", true);
  }
  if (!lost_ && now - heard_ > kSilence) {
    lose((rank_ + size() - 1) % size(),
         "has not answered for " + std::to_string(kSilence.count()) + " s", false);
  }
}

void MpiThread::send_failure() {
  std::vector<MPI_Request> sent;
  for (int r = 0; r < size(); ++r) {
    if (r == rank_) continue;
    sent.emplace_back();
    if (MPI_Isend(nullptr, 0, MPI_BYTE, r, kFails, signs_, &sent.back()) != MPI_SUCCESS) return;
  }
  int done = 0;
  for (const Clock::time_point end = Clock::now() + kLastWords; Clock::now() < end && done == 0;) {
    if (MPI_Testall(static_cast<int>(sent.size()), sent.data(), &done, MPI_STATUSES_IGNORE) !=
        MPI_SUCCESS) {
      return;
    }
    sched_yield();
  }
}

void MpiThread::hear_last_words() {
  for (const Clock::time_point end = Clock::now() + kHearing; !lost_ && Clock::now() < end;) {
    look_for_messages();
    std::this_thread::sleep_for(kNap);
  }
}

void MpiThread::lose(int rank, const std::string& how, bool seen) {
  // It may have ended because this rank was suspended, and have said so.
  if (seen) hear_last_words();
  if (lost_) return;
  failed_ = true;
  int speaker = rank_;  // the first of those that see it
  for (int r = rank_; seen && r >= 0; --r) {
    if (r != rank && same_host(r, rank)) speaker = r;
  }
  if (speaker != rank_) {
    std::this_thread::sleep_for(kLastWords);  // the rank that speaks must have the time to
    lost_ = std::make_exception_ptr(RankEnded());
    return;
  }
  lost_ = std::make_exception_ptr(Error(name_of(rank) + " " + how));
  send_failure();
}

}  // namespace cdt
