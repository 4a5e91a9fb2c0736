// The CPU kernels' threads: every task runs once, for any request; nested loops, concurrent loops
// of several threads, exceptions, a fork.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/cpu/parallel.h"

namespace cdt {
namespace {

/// True if a loop of `tasks` runs each task once, with thread numbers below `threads`.
bool runs_each_once(int threads, std::int64_t tasks) {
  std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
  std::atomic<bool> good{true};
  std::vector<std::atomic<int>> busy(static_cast<std::size_t>(threads));
  parallel_for(threads, tasks, [&](std::int64_t task, int thread) {
    if (thread < 0 || thread >= threads) {
      good = false;
      return;
    }
    const auto number = static_cast<std::size_t>(thread);
    if (busy[number]++ != 0) good = false;  // two threads with one number
    ++runs[static_cast<std::size_t>(task)];
    --busy[number];
  });
  for (const auto& count : runs) good = good && count == 1;
  return good;
}

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 3, 64, 256}) {
    for (const std::int64_t tasks : {0, 1, 2, 5, 255, 1000}) {
      for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(runs_each_once(threads, tasks)) << threads << " threads, " << tasks << " tasks";
      }
    }
  }
}

TEST(ThreadPool, NestedLoopsRunOnTheThreadThatAsks) {
  std::atomic<int> sum{0};
  parallel_for(3, 8, [&](std::int64_t, int) {
    const auto outer = std::this_thread::get_id();
    parallel_for(3, 5, [&](std::int64_t task, int) {
      if (std::this_thread::get_id() == outer) sum += static_cast<int>(task);
    });
  });
  EXPECT_EQ(sum, 8 * 10);
}

TEST(ThreadPool, LoopsOfSeveralThreadsAtOnce) {
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) good += runs_each_once(3, 20) ? 1 : 0;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(good, 800);
}

TEST(ThreadPool, AnExceptionReachesTheCaller) {
  for (int round = 0; round < 50; ++round) {
    std::string message;
    try {
      parallel_for(4, 100, [](std::int64_t task, int) {
        if (task == 57) throw std::runtime_error("task 57");
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT_EQ(message, "task 57");
  }
  EXPECT_TRUE(runs_each_once(4, 100));
}

TEST(ThreadPool, AChildHasThreadsOfItsOwn) {
  EXPECT_TRUE(runs_each_once(3, 50));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    _exit(runs_each_once(3, 50) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(ThreadPool, OnlyTheFirstThreadTakesSignals) {
  std::atomic<bool> good{true};
  const auto main = std::this_thread::get_id();
  parallel_for(4, 400, [&](std::int64_t, int) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    const bool expected = std::this_thread::get_id() != main;
    if ((sigismember(&blocked, SIGTERM) == 1) != expected) good = false;
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace cdt
