#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "apps/common/program.h"
#include "engine/backend.h"

namespace cdt {
namespace {

// Repeats a transposed product while a handler runs every 50 us on the stack that
// catch_interrupts() prepared. Returns 0 if all results are equal.
int products_under_signals() {
  catch_interrupts("cdt-test");
  const auto backend = make_cpu_backend(1);
  constexpr std::int64_t kM = 64;
  constexpr std::int64_t kK = 128;
  const std::vector<float> a(kK * kM, 0.5F);
  const std::vector<float> b(kK * kM, 0.25F);
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, 50}, {0, 50}};
  setitimer(ITIMER_REAL, &often, nullptr);
  for (int i = 0; i < 3000; ++i) {
    std::vector<float> c(kM * kM);  // a new block each time: malloc checks its neighbours
    backend->gemm({.trans_a = true,
                   .m = kM,
                   .n = kM,
                   .k = kK,
                   .a = a.data(),
                   .lda = kM,
                   .b = b.data(),
                   .ldb = kM,
                   .c = c.data(),
                   .ldc = kM});
    for (const float value : c) {
      if (value != 16.0F) return 1;
    }
  }
  return 0;
}

TEST(Interrupt, AHandlerDoesNotDisturbAProduct) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(products_under_signals());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// The wait status of a child that runs `work` with its stderr in a pipe; its output goes to *text.
int status_of(const std::function<int()>& work, std::string* text) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  EXPECT_GE(child, 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    // Those ignored by a shell in the background would stay ignored.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) std::signal(signal, SIG_DFL);
    _exit(work());
  }
  close(ends[1]);
  char c = 0;
  text->clear();
  while (read(ends[0], &c, 1) == 1) *text += c;
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

void wait_longer_than_a_second() {
  timespec rest{1, 100'000'000};
  while (nanosleep(&rest, &rest) != 0) {
  }
}

TEST(Interrupt, HandlersRunOnTheStackApart) {
  std::string text;
  const int status = status_of(
      [] {
        catch_interrupts("cdt-test");
        struct sigaction action = {};
        sigaction(SIGTERM, nullptr, &action);
        return (action.sa_flags & SA_ONSTACK) == 0 || interrupted() ? 1 : 0;
      },
      &text);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Interrupt, SignalsWithinASecondAreOne) {
  for (const int first : {SIGINT, SIGTERM, SIGHUP}) {
    for (const int second : {SIGINT, SIGTERM, SIGHUP}) {
      std::string text;
      const int status = status_of(
          [&] {
            catch_interrupts("cdt-test");
            if (interrupted()) return 1;
            std::raise(first);
            if (!interrupted()) return 2;
            std::raise(second);
            return 0;
          },
          &text);
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << first << ' ' << second;
      EXPECT_EQ(text, "");
    }
  }
}

TEST(Interrupt, ALaterSignalEndsWithALine) {
  for (const int second : {SIGTERM, SIGINT}) {
    std::string text;
    const int status = status_of(
        [&] {
          catch_interrupts("cdt-test", "all of it is lost");
          std::raise(SIGINT);
          wait_longer_than_a_second();
          std::raise(second);
          return 0;
        },
        &text);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == second);
    EXPECT_EQ(text, "cdt-test: stopped at once: all of it is lost\n");
  }
}

// The system repeats it every second until the hard limit.
TEST(Interrupt, ProcessorTimeThatIsUsedUpEndsTheProgramInOrder) {
  std::string text;
  const int status = status_of(
      [] {
        catch_interrupts("cdt-test");
        std::raise(SIGXCPU);
        wait_longer_than_a_second();
        std::raise(SIGXCPU);
        return interrupted() ? 0 : 1;
      },
      &text);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(text, "");
}

TEST(Interrupt, ARequestToSaveIsNoInterrupt) {
  std::string text;
  const int status = status_of(
      [] {
        catch_interrupts("cdt-test");
        catch_save_requests();
        if (save_requested()) return 1;
        std::raise(SIGUSR1);
        if (!save_requested() || interrupted()) return 2;
        save_request_met();
        return save_requested() ? 3 : 0;
      },
      &text);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
}

TEST(Interrupt, WhatWasIgnoredStaysIgnored) {
  std::string text;
  const int status = status_of(
      [] {
        std::signal(SIGHUP, SIG_IGN);
        catch_interrupts("cdt-test");
        std::raise(SIGHUP);
        return interrupted() ? 1 : 0;
      },
      &text);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace cdt
