// The effect of launches: the chunks of device memory written since tracking began, with their
// previous bytes, so that a launch can be repeated from the same start and compared.
#pragma once

#include <cstddef>
#include <string>

namespace cdt::emulation {

/// Forgets everything and tracks from now on. Signal handlers add chunks.
void start_tracking();
/// Saves `chunk`, `bytes` long, as it is now. Allocates nothing.
void keep_chunk(char* chunk, std::size_t bytes);

/// Takes the present contents of the saved chunks as the result to compare with.
void take_result();
/// Restores the previous bytes.
void restore();
/// "", or where the present contents first differ from that result.
std::string compare_with_result();

}  // namespace cdt::emulation
