#include "tests/emulation/async_copy.h"

#include <cstring>
#include <vector>

#include "tests/emulation/block.h"
#include "tests/emulation/include/cuda_runtime.h"

namespace cdt::emulation {
namespace {

struct Copy {
  void* to;
  const void* from;
  std::size_t bytes, read;
};
struct Started {
  std::vector<Copy> open;                 // not yet in a group
  std::vector<std::vector<Copy>> groups;  // oldest first
};
std::vector<Started> started;  // per thread
bool at_once = true;

Started& mine() {
  return started[threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)];
}

void finish(const Copy& copy) {
  if (copy.read > 0) std::memcpy(copy.to, copy.from, copy.read);
  std::memset(static_cast<char*>(copy.to) + copy.read, 0, copy.bytes - copy.read);
}

}  // namespace

void begin_copies(unsigned threads, bool eager) {
  started.assign(threads, {});
  at_once = eager;
}

void copy_later(void* to, const void* from, std::size_t bytes, std::size_t read, Site site) {
  for (const void* address : {static_cast<const void*>(to), from}) {
    if (reinterpret_cast<std::uintptr_t>(address) % bytes == 0) continue;
    give_up(std::string("cp.async (") + site.file + ":" + std::to_string(site.line) +
                "): an address is not a multiple of " + std::to_string(bytes) + " (" +
                running_thread() + ")",
            cudaErrorMisalignedAddress);
  }
  const Copy copy{to, from, bytes, read};
  if (at_once) {
    finish(copy);
  } else {
    mine().open.push_back(copy);
  }
}

void close_copies() {
  mine().groups.push_back(std::move(mine().open));
  mine().open.clear();
}

void wait_copies(int left) {
  auto& groups = mine().groups;
  while (static_cast<int>(groups.size()) > left) {
    for (const Copy& copy : groups.front()) finish(copy);
    groups.erase(groups.begin());
  }
}

}  // namespace cdt::emulation
