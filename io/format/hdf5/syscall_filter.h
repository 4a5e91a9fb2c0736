// The system calls that the process which reads HDF5 may make. no_syscall_filter.cc replaces this
// where libseccomp is not installed.
#pragma once

#include <string>

namespace cdt {

/// The only descriptors of the process, each for one purpose.
struct SandboxEnds {
  int file;      // pread
  int requests;  // read
  int answers;   // write
};

/// Filters the calls of this process for the rest of its life (seccomp). Allowed are memory that
/// is not executable, its three descriptors, the time, exit and abort. A call that opens or looks
/// up something, as libraries try it in passing, fails with EACCES; any other call ends the process
/// with SIGSYS. Returns "" or why there is no filter.
std::string install_syscall_filter(const SandboxEnds& ends);

}  // namespace cdt
