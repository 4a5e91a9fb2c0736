// The child process that reads untrusted HDF5 files.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <new>
#include <string>

#include "apps/common/program.h"
#include "io/dataset/dataset.h"
#include "io/format/hdf5/sandbox.h"
#include "tests/support/published_files.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::PublishedFiles;

// AddressSanitizer ends the process itself, with this exit code, if libhdf5 makes an invalid
// access.
#if defined(__SANITIZE_ADDRESS__)
constexpr int kSanitizerAbort = 1;
#else
constexpr int kSanitizerAbort = 2;
#endif

/// Ends the process like a fault, even if a sanitizer has its own handlers.
int die_of(int signal) {
  std::signal(signal, SIG_DFL);
  raise(signal);
  return 0;
}

std::string death(const std::function<int()>& work, const SandboxLimits& limits = {}) {
  return test::input_error([&] { run_sandboxed(work, limits); });
}

TEST(ImportSandbox, GivesTheExitCodeOfTheWork) {
  EXPECT_EQ(run_sandboxed([] { return 0; }), 0);
  EXPECT_EQ(run_sandboxed([] { return 2; }), 2);
}

TEST(ImportSandbox, ChildKeepsItsStateToItself) {
  int value = 1;
  EXPECT_EQ(run_sandboxed([&value] { return value = 7; }), 7);
  EXPECT_EQ(value, 1);
}

TEST(ImportSandbox, ACrashNamesTheFileOfTheLastStep) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS}) {
    const std::string message = death([signal] {
      sandbox_step("first.h5");
      sandbox_step("second.h5");
      return die_of(signal);
    });
    EXPECT_EQ(message, "second.h5: HDF5: damaged or hostile file (the HDF5 library crashed on it)");
  }
}

TEST(ImportSandbox, AnEndlessLoopIsStopped) {
  SandboxLimits limits;
  limits.step_seconds = 1;
  const std::string message = death(
      [] {
        sandbox_step("loop.h5");
        volatile bool for_ever = true;
        while (for_ever) {
        }
        return 0;
      },
      limits);
  EXPECT_EQ(message, "loop.h5: HDF5: damaged or hostile file (reading it comes to no end)");
}

TEST(ImportSandbox, MemoryIsLimited) {
  SandboxLimits limits;
  limits.memory_bytes = std::int64_t{64} << 20;
  const auto allocate = [](std::size_t megabytes) {
    void* memory = ::operator new(megabytes << 20U, std::nothrow);
    const int code = memory == nullptr ? 5 : 6;
    ::operator delete(memory);
    return code;
  };
  EXPECT_EQ(run_sandboxed([&] { return allocate(16); }, limits), 6);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_EQ(run_sandboxed([&] { return allocate(128); }, limits), 5);
#endif
}

TEST(ImportSandbox, BeingToldToEndIsNotTheFilesFault) {
  try {
    run_sandboxed([] { return die_of(SIGKILL); });
    FAIL() << "the child's death went unnoticed";
  } catch (const InputError& error) {
    FAIL() << error.what();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "stopped by signal 9 (Killed)");
  }
}

TEST(ImportSandbox, SignalsReachTheChild) {
  try {
    run_sandboxed([] {
      kill(getppid(), SIGTERM);
      for (;;) pause();
      return 0;
    });
    FAIL() << "the child was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind("stopped by signal 15", 0), 0U) << error.what();
  }
}

/// A terminal or `timeout` may send a signal twice: the first ends the child, and a second one must
/// not keep the parent from cleaning up.
TEST(ImportSandbox, ASecondSignalDoesNotStopTheCleaningUp) {
  const pid_t parent = fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    std::signal(SIGINT, SIG_DFL);  // ignored if the tests run in the background
    catch_interrupts("cdt-test");
    try {
      run_sandboxed([] {
        kill(getppid(), SIGINT);
        for (;;) pause();
        return 0;
      });
    } catch (const Error&) {
      raise(SIGINT);
      _exit(7);
    }
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

class ImportInSandbox : public testing::Test {
 protected:
  int import() { return import(files.options()); }
  int import(const ImportOptions& options) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = -1;
    try {
      code = import_in_sandbox(options);
    } catch (const InputError& error) {
      thrown = error.what();
      code = 2;
    }
    printed = testing::internal::GetCapturedStdout();
    errors = testing::internal::GetCapturedStderr();
    return code;
  }

  test::TempDir dir;
  PublishedFiles files{dir.path};
  std::string printed, errors, thrown;
};

TEST_F(ImportInSandbox, ImportsAndPrintsTheAudit) {
  files.write();
  EXPECT_EQ(import(), 0);
  EXPECT_EQ(errors, "");
  EXPECT_NE(printed.find("enhancers 7 written"), std::string::npos) << printed;
  EXPECT_TRUE(std::filesystem::exists(files.options().common.out / "dataset.json"));
}

TEST_F(ImportInSandbox, NamesOfAnyBytesAreKept) {
  files.write();
  ImportOptions options = files.options();
  options.val = dir.path / "val \xe9\n.h5";
  std::filesystem::rename(files.options().val, options.val);
  options.assembly = "hg\xff";
  EXPECT_EQ(import(options), 0) << errors;
  const std::string manifest = test::read_bytes(options.common.out / "dataset.json");
  EXPECT_NE(manifest.find(R"("file": "val \\xe9\\x0a.h5")"), std::string::npos) << manifest;
  EXPECT_EQ(Dataset(options.common.out).enhancers_count(), 7);
}

TEST_F(ImportInSandbox, ReplacesADataSetOnlyIfThatIsMeant) {
  files.write();
  ImportOptions options = files.options();
  EXPECT_EQ(import(options), 0);
  EXPECT_EQ(import(options), 2);
  EXPECT_NE(thrown.find("already holds a data set; --overwrite replaces it"), std::string::npos);
  const std::filesystem::path out = options.common.out;
  test::write_bytes(out / "truth.json", "of the one before");
  options.common.overwrite = true;
  std::filesystem::resize_file(options.dna, std::filesystem::file_size(options.dna) - 200);
  EXPECT_EQ(import(options), 2);
  EXPECT_EQ(test::read_bytes(out / "truth.json"), "of the one before");
  files.write();
  EXPECT_EQ(import(options), 0);
  EXPECT_FALSE(std::filesystem::exists(out / "truth.json"));
}

/// Kills both processes, while files are being written and while they are being renamed.
TEST_F(ImportInSandbox, GoesOnWhereItWasKilled) {
  files.write();
  const std::filesystem::path out = files.options().common.out;
  std::filesystem::create_directory(out);
  test::write_bytes(out / ".dna.f32.cdt-tmp-0123456789abcdef", "half");
  test::write_bytes(out / "rna.f32", "whole");
  test::write_bytes(out / ".cdt-unfinished", "a data set\n");
  EXPECT_EQ(import(), 0) << thrown;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    EXPECT_NE(entry.path().filename().native().front(), '.') << entry.path();
  }
}

TEST_F(ImportInSandbox, AMistakeIsOneLine) {
  files.val.labels[1] = 3;
  files.write();
  EXPECT_EQ(import(), 2);
  EXPECT_EQ(errors, "cdt-import: " + files.options().val.string() +
                        ": labels[1]: is not a label (expected 0 or 1, got 3)\n");
  EXPECT_EQ(printed, "");
  EXPECT_FALSE(std::filesystem::exists(files.options().common.out));
}

TEST_F(ImportInSandbox, WhatTheChildLeftIsRemovedButNothingElse) {
  files.write();
  const std::filesystem::path out = files.options().common.out;
  std::filesystem::create_directory(out);
  test::write_bytes(out / "mine.txt", "keep");
  std::filesystem::resize_file(files.options().dna,
                               std::filesystem::file_size(files.options().dna) - 200);
  EXPECT_EQ(import(), 2);
  EXPECT_EQ(test::read_bytes(out / "mine.txt"), "keep");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 1);
}

/// A damaged file gives a data set or one line, never a crash of the importer.
TEST_F(ImportInSandbox, DamagedFilesNeverCrashTheImporter) {
  files.storage = {{2, 4, 3}, true, true, true};
  files.variable_strings = true;
  files.write();
  const std::filesystem::path victim = files.options().val;
  const std::string good = test::read_bytes(victim);
  std::uint64_t state = 12345;
  const auto random = [&state] { return (state = state * 6364136223846793005U + 1U) >> 33U; };
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bad = good;
    if (round % 3 == 0) {
      bad.resize(random() % good.size());
    } else {
      for (int i = 0; i < 4; ++i) bad[random() % 2000] = static_cast<char>(random());
    }
    test::write_bytes(victim, bad);
    const int code = import();
    ASSERT_TRUE(code == 0 || code == 2 || code == kSanitizerAbort) << round << " " << errors;
    if (code == 2) {
      ++refused;
      const std::string message = errors + thrown;
      EXPECT_NE(message.find(victim.string() + ": "), std::string::npos) << round << message;
      EXPECT_FALSE(std::filesystem::exists(files.options().common.out)) << round;
    }
    thrown.clear();
    std::filesystem::remove_all(files.options().common.out);
  }
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace cdt
