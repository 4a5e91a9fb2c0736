// cdt-attribute: what drove the predictions of chosen pairs.
#pragma once

namespace cdt {

/// Writes the attribution folder; the summary goes to stdout. Returns the exit code, or throws as
/// run_main() expects.
int attribute_main(int argc, char** argv);

}  // namespace cdt
