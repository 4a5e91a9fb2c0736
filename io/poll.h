// A way for a program to stop a reader of a large file: readers ask between pieces, and what the
// program has set may throw.
#pragma once

namespace cdt {

/// Called between pieces from this call on; null: nothing. Readers ask in the thread that calls
/// them.
void set_read_poll(void (*poll)());

/// For readers: to be called at least every few megabytes.
void poll_read();

}  // namespace cdt
