// SIGINT and SIGTERM as a question the training loop asks between steps.
#pragma once

namespace cdt {

/// From now on the first SIGINT or SIGTERM only sets the flag; a second of its kind ends the
/// process at once. Signals that were ignored stay ignored (nohup).
void catch_interrupts();

/// Has a signal arrived?
bool interrupted();

}  // namespace cdt
