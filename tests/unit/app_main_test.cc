// What every program has around its work: exit codes, one line per error, progress text.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "tests/support/input_error.h"

namespace cdt {
namespace {

int run(const std::function<void()>& work, std::string* line) {
  testing::internal::CaptureStderr();
  const int code = run_main("cdt-test", 0, nullptr, [&](int, char**) {
    work();
    return 0;
  });
  *line = testing::internal::GetCapturedStderr();
  return code;
}

TEST(RunMainTest, ExitCodesAndLines) {
  std::string line;
  EXPECT_EQ(run([] {}, &line), 0);
  EXPECT_EQ(line, "");
  EXPECT_EQ(run([] { throw InputError("f.tsv", "line 3", "a\nb"); }, &line), 2);
  EXPECT_EQ(line, "cdt-test: f.tsv: line 3: a\\nb\n");
  EXPECT_EQ(run([] { throw Error("broken"); }, &line), 1);
  EXPECT_EQ(line, "cdt-test: broken\n");
  EXPECT_EQ(run([] { throw std::bad_alloc(); }, &line), 1);
  EXPECT_EQ(line, "cdt-test: out of memory\n");
  EXPECT_EQ(run([] { throw std::out_of_range("index\t7"); }, &line), 1);
  EXPECT_EQ(line, "cdt-test: index\\t7\n");
}

/// Ends the process as a program would whose standard output goes to `fd`.
[[noreturn]] void print_into(int fd) {
  dup2(fd, STDOUT_FILENO);
  std::exit(run_main("cdt-test", 0, nullptr, [](int, char**) {
    std::puts("results");
    return 0;
  }));
}

TEST(RunMainDeathTest, ReportsAFullDisk) {
  EXPECT_EXIT(print_into(fileno(std::fopen("/dev/full", "w"))), testing::ExitedWithCode(1),
              "cdt-test: standard output: cannot be written .No space left on device.");
}

TEST(RunMainDeathTest, ReportsAClosedPipe) {
  const auto closed_pipe = [] {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    close(ends[0]);
    print_into(ends[1]);
  };
  EXPECT_EXIT(closed_pipe(), testing::ExitedWithCode(1),
              "cdt-test: standard output: cannot be written .Broken pipe.");
}

TEST(RunMainDeathTest, ReportsAClosedOutput) {
  const auto closed_output = [] {
    close(STDOUT_FILENO);
    std::exit(run_main("cdt-test", 0, nullptr, [](int, char**) {
      std::puts("results");
      return 0;
    }));
  };
  EXPECT_EXIT(closed_output(), testing::ExitedWithCode(1), "cdt-test: standard output: is closed");
}

std::string refusal(const std::string& device, const std::string& precision) {
  CommonOptions options;
  options.device = device;
  options.precision = precision;
  try {
    open_backend(options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(SessionTest, RefusesDevicesInOneLine) {
  EXPECT_EQ(refusal("cpu", "bf16"),
            "command line: --precision: the CPU computes in fp32 only (expected fp32, got bf16)");
  EXPECT_NE(refusal("cpu", "fp32-fma").find("expected fp32"), std::string::npos);
  for (const char* device : {"gpu", "cuda:", "cuda:-1", "cuda:x", "cuda1", ""}) {
    EXPECT_NE(refusal(device, "fp32").find("--device: no such device (expected auto, cpu, cuda"),
              std::string::npos)
        << device;
  }
}

TEST(SessionTest, RefusesOptionsThatChangeNothingOnTheCpu) {
  CommonOptions options;
  options.device = "cpu";
  options.no_graph = true;
  test::expect_message(test::input_error([&] { open_backend(options); }), "command line",
                       "--no-graph", "changes nothing on the CPU: it needs a GPU");
}

TEST(SessionTest, OpensTheCpu) {
  CommonOptions options;
  options.device = "cpu";
  EXPECT_STREQ(open_backend(options)->name(), "cpu");
}

TEST(ProgressTest, TellsRateAndTime) {
  EXPECT_EQ(progress_text("epoch 1", 0, 40, 0.0, ""), "epoch 1 0/40 0 %");
  EXPECT_EQ(progress_text("epoch 1", 10, 40, 5.0, "loss 0.5"),
            "epoch 1 10/40 25 %, 2/s, 0:15 left, loss 0.5");
  EXPECT_EQ(progress_text("epoch 1", 40, 40, 80.0, ""), "epoch 1 40/40 100 %, 0.5/s, took 1:20");
  EXPECT_EQ(progress_text("nothing", 0, 0, 1.0, ""), "nothing 0/0");
  EXPECT_EQ(clock_text(7.4), "0:07");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(7509), "2:05:09");
}

TEST(ProgressTest, QuietPrintsNothing) {
  testing::internal::CaptureStderr();
  Progress quiet("work", 3, true);
  quiet.update(3);
  quiet.finish();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(ProgressTest, ALogGetsPlainLines) {
  testing::internal::CaptureStderr();
  {
    Progress progress("work", 3, false);
    progress.update(3, "done well");
    progress.finish();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.rfind("work 3/3 100 %", 0), 0U) << text;
  EXPECT_EQ(text.find_first_of("\r\x1b"), std::string::npos) << text;
  EXPECT_NE(text.find("done well\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace cdt
