// Kernels are compiled with the compiler's checks for undefined behaviour: misaligned vector
// accesses, indices outside an array, null pointers, arithmetic. These handlers receive the
// findings, also in a sanitizing build, where they replace the sanitizer's own. The names and the
// first field of their data are the compiler's interface.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/emulation/block.h"

namespace {

struct SourceLocation {
  const char* file;
  std::uint32_t line, column;
};

[[noreturn]] void found(const void* data, const char* what,
                        cudaError_t error = cudaErrorLaunchFailure) {
  const auto* const at = static_cast<const SourceLocation*>(data);
  const std::string text = std::string(what) + " at " + at->file + ":" + std::to_string(at->line);
  if (cdt::emulation::in_kernel()) {
    cdt::emulation::give_up(cdt::emulation::running_thread() + ": " + text, error);
  }
  std::fprintf(stderr, "cuda emulation: %s\n", text.c_str());
  std::abort();
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier)
extern "C" {
void __ubsan_handle_type_mismatch_v1_abort(void* data, std::uintptr_t) {
  found(data, "misaligned or null access", cudaErrorMisalignedAddress);
}
void __ubsan_handle_out_of_bounds_abort(void* data, std::uintptr_t) {
  found(data, "index outside an array");
}
void __ubsan_handle_shift_out_of_bounds_abort(void* data, std::uintptr_t, std::uintptr_t) {
  found(data, "shift by too many bits");
}
void __ubsan_handle_add_overflow_abort(void* data, std::uintptr_t, std::uintptr_t) {
  found(data, "signed overflow in a sum");
}
void __ubsan_handle_sub_overflow_abort(void* data, std::uintptr_t, std::uintptr_t) {
  found(data, "signed overflow in a difference");
}
void __ubsan_handle_mul_overflow_abort(void* data, std::uintptr_t, std::uintptr_t) {
  found(data, "signed overflow in a product");
}
void __ubsan_handle_negate_overflow_abort(void* data, std::uintptr_t) {
  found(data, "signed overflow in a negation");
}
void __ubsan_handle_divrem_overflow_abort(void* data, std::uintptr_t, std::uintptr_t) {
  found(data, "division by zero");
}
}
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier)
