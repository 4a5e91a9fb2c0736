#include "engine/cuda/nccl_library.h"

#include <dlfcn.h>

#include <type_traits>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr const char* kLibrary = "libnccl.so.2";
constexpr int kLeastVersion = 21800;

std::string text_of_version(int version) {
  constexpr int kMajor = 10000, kMinor = 100;
  return std::to_string(version / kMajor) + "." + std::to_string(version / kMinor % kMinor) + "." +
         std::to_string(version % kMinor);
}

}  // namespace

void Nccl::open() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw InputError("NCCL", "library",
                     std::string(kLibrary) + " is not there; several processes on GPUs need it");
  }
  const auto find = [library](auto* call, const char* name) {
    *call = reinterpret_cast<std::remove_pointer_t<decltype(call)>>(dlsym(library, name));
    if (*call == nullptr) throw Error(std::string(kLibrary) + " has no " + name);
  };
  find(&get_version, "ncclGetVersion");
  find(&error_string, "ncclGetErrorString");
  find(&last_error, "ncclGetLastError");
  find(&get_unique_id, "ncclGetUniqueId");
  find(&init_rank, "ncclCommInitRank");
  find(&destroy, "ncclCommDestroy");
  find(&abort, "ncclCommAbort");
  find(&group_start, "ncclGroupStart");
  find(&group_end, "ncclGroupEnd");
  find(&send, "ncclSend");
  find(&receive, "ncclRecv");
  int version = 0;
  check(get_version(&version), "get_version", __FILE__, __LINE__);
  if (version < kLeastVersion) {
    throw InputError("NCCL", "version",
                     expected_got("too old", text_of_version(kLeastVersion) + " or newer",
                                  text_of_version(version)));
  }
}

void Nccl::check(ncclResult_t status, const char* call, const char* file, int line) const {
  if (status == ncclSuccess) return;
  throw Error(std::string("nccl: ") + call + " at " + file + ":" + std::to_string(line) + ": " +
              error_string(status) + ", " + printable(last_error(nullptr)));
}

}  // namespace cdt
