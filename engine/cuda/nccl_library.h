// The functions of NCCL that sums over ranks need, looked up in the library.
#pragma once

#include <nccl.h>

#include <string>

namespace cdt {

/// The functions used from libnccl.so.2, which stays open.
struct Nccl {
  /// Call before anything else. Throws InputError if the library is missing or older than 2.18.
  void open();
  /// Throws Error naming call, file and line, with the library's message, unless status is success.
  void check(ncclResult_t status, const char* call, const char* file, int line) const;

  decltype(&ncclGetVersion) get_version = nullptr;
  decltype(&ncclGetErrorString) error_string = nullptr;
  decltype(&ncclGetLastError) last_error = nullptr;
  decltype(&ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&ncclCommInitRank) init_rank = nullptr;
  decltype(&ncclCommDestroy) destroy = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
  decltype(&ncclGroupStart) group_start = nullptr;
  decltype(&ncclGroupEnd) group_end = nullptr;
  decltype(&ncclSend) send = nullptr;
  decltype(&ncclRecv) receive = nullptr;
};

}  // namespace cdt

/// Makes a call of NCCL: CDT_NCCL(library, send(...)). A failure throws Error naming the call, file
/// and line.
#define CDT_NCCL(library, call) (library).check((library).call, #call, __FILE__, __LINE__)
