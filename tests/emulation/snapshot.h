// What launches write: the chunks of device memory written since memory was tracked, with their
// bytes from before, so that a launch can be run again from the same start and compared.
#pragma once

#include <cstddef>
#include <string>

namespace cdt::emulation {

/// Forgets everything and tracks from now on. Signal handlers add chunks.
void start_tracking();
/// Keeps `chunk`, `bytes` long, as it is now. Allocates nothing.
void keep_chunk(char* chunk, std::size_t bytes);

/// Takes the present contents of the kept chunks as the result to compare with.
void take_result();
/// Puts the bytes from before back.
void restore();
/// "" or where the present contents first differ from the result taken.
std::string compare_with_result();

}  // namespace cdt::emulation
