#include "apps/common/interrupt.h"

#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "engine/backend.h"

namespace cdt {
namespace {

// A transposed product, many times, while a handler on the stack that catch_interrupts() prepared
// runs every 50 us. 0: all results alike.
int products_under_signals() {
  catch_interrupts();
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
    std::vector<float> c(kM * kM);  // a fresh block each time: malloc checks its neighbours
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

TEST(Interrupt, HandlersRunOnTheStackApart) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    catch_interrupts();
    struct sigaction action = {};
    sigaction(SIGTERM, nullptr, &action);
    if ((action.sa_flags & SA_ONSTACK) == 0 || interrupted()) _exit(1);
    std::raise(SIGTERM);
    _exit(interrupted() ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace cdt
