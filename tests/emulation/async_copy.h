// Copies into shared memory that threads start and wait for later.
#pragma once

namespace cdt::emulation {

/// Forgets what the threads of the last block left. eager: copies happen as soon as they are
/// started.
void begin_copies(unsigned threads, bool eager);

}  // namespace cdt::emulation
