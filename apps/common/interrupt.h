// SIGINT and SIGTERM as a question a loop asks between steps.
#pragma once

namespace cdt {

/// From now on the first SIGINT or SIGTERM only sets the flag; a second of its kind ends the
/// process at once. Signals that were ignored stay ignored (nohup). A reader of a large file that
/// is at work then stops (stop_if_interrupted). Call it from the main thread.
void catch_interrupts();

/// Has a signal arrived?
bool interrupted();

/// For programs that keep nothing of an unfinished run: Error "interrupted; nothing is kept" if a
/// signal has arrived, so that what was begun is removed on the way out.
void stop_if_interrupted();

}  // namespace cdt
