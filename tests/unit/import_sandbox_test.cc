// The process that works on an untrusted file: its limits, and how its parent hears of its end.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <new>
#include <string>

#include "engine/poll.h"
#include "tests/support/sandbox_work.h"

namespace cdt {
namespace {

using Ending = SandboxError::Ending;

class ImportSandbox : public testing::Test {
 protected:
  void expect(const test::SandboxOutcome& outcome, Ending ending, const std::string& what) const {
    EXPECT_FALSE(outcome.answer);
    EXPECT_EQ(outcome.ending, ending);
    EXPECT_EQ(outcome.message,
              work.path.string() + ": HDF5: damaged or hostile file (" + what + ")");
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  }

  test::SandboxWork work;
};

TEST_F(ImportSandbox, AnswersItsParent) {
  const std::ptrdiff_t before = test::open_descriptors();
  EXPECT_EQ(work.run([] { return 'a'; }).answer, 'a');
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(ImportSandbox, ReadsItsRequestsAndItsFile) {
  const InputFile file(work.path);
  SandboxedProcess child(
      file, [] {},
      [&file](const SandboxEnds& ends) {
        std::size_t at = 0;
        while (true) {
          read_request(ends.requests, &at, sizeof(at));
          char byte = '\0';
          file.read(at, &byte, 1);
          write_answer(ends.answers, &byte, 1);
        }
      });
  for (const std::size_t at : {std::size_t{3}, std::size_t{0}}) {
    char answer = '\0';
    child.begin_step();
    child.send(&at, sizeof(at));
    child.receive(&answer, 1);
    EXPECT_EQ(answer, "content"[at]);
  }
}

TEST_F(ImportSandbox, HoldsNoOtherDescriptor) {
  const int shared = open("/dev/null", O_WRONLY);  // without close-on-exec
  ASSERT_GE(shared, 0);
  char held = '\0';
  work.prepare = [&] {
    const char open_ones = static_cast<char>('0' + test::open_descriptors());
    held = fcntl(shared, F_GETFD) < 0 && fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 &&
                   fcntl(2, F_GETFD) < 0
               ? open_ones
               : '!';
  };
  EXPECT_EQ(work.run([&held] { return held; }).answer, '4');  // and the listing's own
  close(shared);
}

TEST_F(ImportSandbox, ACrashIsTheFilesFault) {
  const std::string what = "the HDF5 library crashed on it";
  expect(work.run([]() -> char { std::abort(); }), Ending::kCrash, what);
  expect(work.run([]() -> char { __builtin_trap(); }), Ending::kCrash, what);
  volatile char* volatile nowhere = nullptr;
  expect(work.run([&]() -> char { return *nowhere; }), Ending::kCrash, what);
}

TEST_F(ImportSandbox, AnEndWithoutAnAnswerIsNoAnswer) {
  const std::string what = "the process that reads it gave no proper answer";
  expect(work.run([]() -> char { _exit(0); }), Ending::kBadAnswer, what);
  expect(work.run([]() -> char { throw std::bad_alloc(); }), Ending::kBadAnswer, what);
}

TEST_F(ImportSandbox, WhatTakesForEverIsStopped) {
  const std::string what = "reading it comes to no end";
  work.limits.processor_seconds = 1;
  expect(work.run([]() -> char {
    volatile bool for_ever = true;
    while (for_ever) {
    }
    return 0;
  }),
         Ending::kTooLong, what);
  work.limits = {.seconds = 1};
  expect(work.run([](const SandboxEnds& ends) {
    char request = '\0';
    read_request(ends.requests, &request, 1);  // which never comes
    return request;
  }),
         Ending::kTooLong, what);
}

TEST_F(ImportSandbox, MemoryIsLimited) {
  work.limits.memory_bytes = std::int64_t{256} << 20;
  // Pieces so large that none comes from memory which the heap of this process had left.
  const auto pieces = [](int wanted) {
    int got = 0;
    for (; got < wanted; ++got) {
      auto* piece = static_cast<volatile char*>(std::malloc(std::size_t{200} << 20U));
      if (piece == nullptr) break;
      *piece = 1;
    }
    return static_cast<char>('0' + got);
  };
  EXPECT_EQ(work.run([&] { return pieces(1); }).answer, '1');
#if !defined(__SANITIZE_ADDRESS__)  // which ends the process itself
  EXPECT_EQ(work.run([&] { return pieces(9); }).answer, '1');
#endif
}

TEST_F(ImportSandbox, BeingKilledIsNotTheFilesFault) {
  work.prepare = [] { raise(SIGKILL); };
  const test::SandboxOutcome outcome = work.run([] { return 'a'; });
  EXPECT_FALSE(outcome.ending);
  EXPECT_EQ(outcome.message, work.path.string() +
                                 ": HDF5: the process that reads it was stopped by signal 9 "
                                 "(Killed)");
}

/// A terminal sends its signals to both processes; only the parent acts on them.
TEST_F(ImportSandbox, EndSignalsAreTheParentsAffair) {
  char survived = '\0';
  work.prepare = [&survived] {
    for (const int signal : kEndSignals) raise(signal);
    survived = 'y';
  };
  EXPECT_EQ(work.run([&survived] { return survived; }).answer, 'y');
}

TEST_F(ImportSandbox, AnInterruptEndsTheWait) {
  set_poll([] { throw Error("interrupted"); });
  const test::SandboxOutcome outcome = work.run([](const SandboxEnds& ends) {
    char request = '\0';
    read_request(ends.requests, &request, 1);
    return request;
  });
  set_poll(nullptr);
  EXPECT_EQ(outcome.message, "interrupted");
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

}  // namespace
}  // namespace cdt
