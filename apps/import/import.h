// cdt-import: a data set directory (docs/formats.md) from the published files, or from arrays.
#pragma once

namespace cdt {

/// The whole program below run_main(); which of the two is meant, the options tell. InputError
/// where they are mixed.
int import_main(int argc, char** argv);

}  // namespace cdt
