// cdt-report: one page about a run, its model's predictions and their attribution.
#pragma once

namespace cdt {

/// Writes the HTML file; its path goes to stdout. Returns the exit code, or throws as run_main()
/// expects.
int report_main(int argc, char** argv);

}  // namespace cdt
