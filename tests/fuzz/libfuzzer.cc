// The fuzzer: libFuzzer calls the target that CDT_FUZZ_TARGET names. Code that this target does not
// reach has no coverage, so each name is a fuzzer of its own.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "engine/error.h"
#include "io/format/text.h"
#include "tests/fuzz/target.h"

namespace {
const cdt::test::FuzzTarget* target = nullptr;
}  // namespace

// libFuzzer gives these their names.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* const name = std::getenv("CDT_FUZZ_TARGET");
  try {
    target = &cdt::test::fuzz_target(name == nullptr ? "" : name);
  } catch (const cdt::InputError& error) {
    std::cerr << "fuzz: " << error.what() << "\n";
    std::exit(2);
  }
  cdt::silence_notes();
  return 0;
}

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cdt::test::refusal(*target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
