// Turns an access that the processor refuses, or undefined behaviour found by the compiler's
// checks, into a finding that names kernel, block, thread and address.
#pragma once

namespace cdt::emulation {

/// Installs the signal handlers, once, and an alternate stack for the calling thread.
void install_traps();

}  // namespace cdt::emulation
