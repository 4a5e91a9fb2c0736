// An import holds only a few rows of DNA, however many there are.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <new>
#include <string>

#include "apps/import/arrays.h"
#include "tests/support/array_files.h"
#include "tests/support/limited_process.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

#if !defined(__SANITIZE_ADDRESS__)                                      // which maps its own memory
constexpr std::int64_t kRows = 24, kRowValues = std::int64_t{1} << 19;  // 48 MiB, rows of 2 MiB
constexpr std::int64_t kMemory = std::int64_t{24} << 20;

/// Uses up the heap memory that earlier tests freed, so that the limit takes effect.
void use_up_the_heap() {
  rlimit before = {};
  getrlimit(RLIMIT_AS, &before);
  const rlimit none = {1, before.rlim_max};
  setrlimit(RLIMIT_AS, &none);
  static void* kept = nullptr;
  for (std::size_t size = std::size_t{1} << 20U; size >= 1U << 14U; size /= 2) {
    while (void* piece = std::malloc(size)) {
      *static_cast<void**>(piece) = kept;
      kept = piece;
    }
  }
  setrlimit(RLIMIT_AS, &before);
}

class ImportMemory : public testing::Test {
 protected:
  ImportMemory() {
    files.enhancers.clear();
    for (int i = 0; i < kRows; ++i) {
      files.enhancers += "chr1\t" + std::to_string(i) + "00\t" + std::to_string(i) + "50\tE" +
                         std::to_string(i) + "\n";
    }
    files.write();
    options.keep_untested = true;
    head = test::npy("<f4", "(24, 512, 1024)", "");
  }
  int import_in_child() const {
    return test::run_with_memory(kMemory, [this] {
      use_up_the_heap();
      testing::internal::CaptureStdout();
      import_arrays(options, find_arrays(options));
      return 0;
    });
  }

  test::TempDir dir;
  test::ArrayFilesOnDisk files{dir.path};
  ArraysOptions options = files.options();
  std::string head;
};

TEST_F(ImportMemory, OfAnNpy) {
  test::write_bytes(options.dna, head);
  std::filesystem::resize_file(options.dna, head.size() + kRows * kRowValues * 4);
  EXPECT_EQ(import_in_child(), 0);
}

TEST_F(ImportMemory, OfAnArchive) {
  {
    const std::string array = head + std::string(kRows * kRowValues * 4, '\0');
    test::write_bytes(options.dna, test::zip({{"dna.npy", array, 8}}));
  }
  EXPECT_EQ(import_in_child(), 0);
}

/// The limit would stop a reader that loads the whole array.
TEST_F(ImportMemory, TheLimitIsOne) {
  const auto hold_all = [] {
    use_up_the_heap();
    void* memory = ::operator new(kRows* kRowValues * 4, std::nothrow);
    const int code = memory == nullptr ? 5 : 6;
    ::operator delete(memory);
    return code;
  };
  EXPECT_EQ(test::run_with_memory(kMemory, hold_all), 5);
}
#endif

}  // namespace
}  // namespace cdt
