// cdt-import: makes a data set directory (docs/data-sets.md) from the published files or from
// arrays.
#pragma once

namespace cdt {

/// Main function, below run_main(). The options tell which kind of input is meant; throws
/// InputError if they are mixed.
int import_main(int argc, char** argv);

}  // namespace cdt
