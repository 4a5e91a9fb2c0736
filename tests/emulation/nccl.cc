// NCCL's calls. Each rank is a process with an emulated device; their data move through sockets
// (nccl_sockets.h). A group's messages are one piece of work of its stream, in which the process
// waits for the other ranks, as a GPU's stream would.
#include "tests/emulation/nccl.h"

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/emulation/device.h"
#include "tests/emulation/include/nccl.h"
#include "tests/emulation/journal.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/named_calls.h"
#include "tests/emulation/nccl_sockets.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

// NOLINTBEGIN(readability-identifier-naming): the library's names
struct ncclComm {
  std::shared_ptr<RankSockets> sockets;
  int device = 0;
};

namespace {

/// The open group of this thread.
struct Group {
  int depth = 0;
  std::vector<RankMessage> messages;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  std::size_t bytes = 0;
};

Group& group() {
  thread_local Group g;
  return g;
}

std::string& last_refusal() {
  static std::string text;
  return text;
}

std::string planted() {
  const char* const text = std::getenv("CDT_EMULATED_NCCL");
  return text != nullptr ? text : "";
}

ncclResult_t refuse(const std::string& why, ncclResult_t result = ncclInvalidArgument) {
  last_refusal() = why;
  return result;
}

/// Gives the messages of a group to its stream.
ncclResult_t start(const Group& g) {
  if (g.messages.empty()) return ncclSuccess;
  if (planted() == "failing") return refuse("as planted", ncclSystemError);
  const auto work = [sockets = g.comm->sockets, messages = g.messages] {
    const Opened opened;
    const std::string wrong = sockets->move(messages);
    if (!wrong.empty()) report(cudaErrorLaunchFailure, "nccl: " + wrong, true);
  };
  const cudaError_t error = issue(g.stream, work, [&g] {
    Issue issue;
    issue.kind = IssueKind::kCopy;
    issue.name = "between ranks";
    issue.bytes = g.bytes;
    return issue;
  });
  return error == cudaSuccess ? ncclSuccess : refuse("its stream refuses", ncclUnhandledCudaError);
}

ncclResult_t add(const void* data, std::size_t count, ncclDataType_t type, int peer,
                 ncclComm_t comm, cudaStream_t stream, bool outgoing) {
  const auto lock = lock_runtime();
  Group& g = group();
  if (comm == nullptr) return refuse("no communicator");
  if (g.depth == 0) return refuse("a message outside a group waits for ever", ncclInvalidUsage);
  if (peer < 0 || peer >= comm->sockets->ranks()) return refuse("no such rank");
  if (peer == comm->sockets->rank()) return refuse("a message to itself is not emulated");
  if (type != ncclFloat) return refuse("a type that is not emulated");
  if (g.comm != nullptr && (g.comm != comm || g.stream != stream)) {
    return refuse("a group on several streams is not emulated");
  }
  if (comm->device != current_device()) return refuse("the thread's device is another one");
  const std::size_t bytes = count * sizeof(float);
  if (!holds(data, bytes, MemoryKind::kDevice)) {
    return refuse("no device memory: " + describe_address(data));
  }
  g.comm = comm;
  g.stream = stream;
  g.bytes += bytes;
  auto* const place = static_cast<char*>(const_cast<void*>(data));
  g.messages.push_back({peer, outgoing, place, bytes});
  return ncclSuccess;
}

}  // namespace

ncclResult_t ncclGetVersion(int* version) {
  *version = planted() == "old" ? 21205 : 22809;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess:
      return "no error";
    case ncclUnhandledCudaError:
      return "unhandled cuda error";
    case ncclSystemError:
      return "unhandled system error";
    case ncclInvalidUsage:
      return "invalid usage";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    default:
      return "invalid argument";
  }
}

const char* ncclGetLastError(ncclComm_t /*comm*/) { return last_refusal().c_str(); }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::random_device random;
  const std::string name = "nccl-" + std::to_string(getpid()) + "-" + std::to_string(random());
  *id = {};
  name.copy(id->internal, sizeof id->internal - 1);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  const auto lock = lock_runtime();
  *comm = nullptr;
  if (ranks < 1 || rank < 0 || rank >= ranks) return refuse("no such rank");
  if (device_count() == 0) return refuse("no device", ncclUnhandledCudaError);
  try {
    auto made = std::make_unique<ncclComm>();
    made->sockets = std::make_shared<RankSockets>(id.internal, rank, ranks);
    made->device = current_device();
    *comm = made.release();
  } catch (const std::exception& error) {
    return refuse(error.what(), ncclRemoteError);
  }
  return ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  const std::unique_ptr<ncclComm> owner(comm);
  return comm != nullptr ? ncclSuccess : refuse("no communicator");
}

ncclResult_t ncclCommAbort(ncclComm_t comm) { return ncclCommDestroy(comm); }

ncclResult_t ncclGroupStart() {
  ++group().depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  const auto lock = lock_runtime();
  Group& g = group();
  if (g.depth == 0) return refuse("the end of a group that did not begin", ncclInvalidUsage);
  if (--g.depth > 0) return ncclSuccess;
  return start(std::exchange(g, {}));
}

ncclResult_t ncclSend(const void* data, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return add(data, count, type, peer, comm, stream, true);
}

ncclResult_t ncclRecv(void* data, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return add(data, count, type, peer, comm, stream, false);
}
// NOLINTEND(readability-identifier-naming)

namespace cdt::emulation {

void* open_nccl() {
  static char library;
  return planted() == "missing" ? nullptr : &library;
}

void* find_in_nccl(const char* name) {
  return find_call(name, {{"ncclGetVersion", &ncclGetVersion},
                          {"ncclGetErrorString", &ncclGetErrorString},
                          {"ncclGetLastError", &ncclGetLastError},
                          {"ncclGetUniqueId", &ncclGetUniqueId},
                          {"ncclCommInitRank", &ncclCommInitRank},
                          {"ncclCommDestroy", &ncclCommDestroy},
                          {"ncclCommAbort", &ncclCommAbort},
                          {"ncclGroupStart", &ncclGroupStart},
                          {"ncclGroupEnd", &ncclGroupEnd},
                          {"ncclSend", &ncclSend},
                          {"ncclRecv", &ncclRecv}});
}

}  // namespace cdt::emulation
