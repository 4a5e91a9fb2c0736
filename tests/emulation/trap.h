// Traps: an access that the processor refuses, or undefined behaviour that the compiler's checks
// find, becomes a finding that names kernel, block, thread and address.
#pragma once

namespace cdt::emulation {

/// Installs the signal handlers, once, and an alternate stack for the calling thread.
void install_traps();

}  // namespace cdt::emulation
