// NCCL's library as programs see it.
#pragma once

namespace cdt::emulation {

/// The result of dlopen("libnccl.so.2"): null if the environment says that it is missing.
void* open_nccl();
/// dlsym for that library; null for functions that are not emulated.
void* find_in_nccl(const char* name);

}  // namespace cdt::emulation
