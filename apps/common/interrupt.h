// Signals that end a program as a question a loop asks between steps: SIGINT, SIGTERM, SIGHUP.
#pragma once

namespace cdt {

/// From this call on the first of these signals only sets the flag, and so do all within a second
/// of it: a terminal, `timeout` and a batch system send several at once. A later one writes the
/// line "NAME: stopped at once: LOST" to stderr and ends the process by that signal. Signals that
/// were ignored stay ignored (nohup). A reader of a large file that is at work stops
/// (stop_if_interrupted). Call it from the main thread; the texts are copied.
void catch_interrupts(const char* name, const char* lost = "unfinished files may remain");

/// Has a signal arrived?
bool interrupted();

/// For programs that keep nothing of an unfinished run: Error "interrupted; nothing is kept" if a
/// signal has arrived, so that what was begun is removed on the way out.
void stop_if_interrupted();

}  // namespace cdt
