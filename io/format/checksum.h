// Whether readers compare the checksums in a file with those of its content.
#pragma once

namespace cdt {

/// True. Only the fuzz targets (tests/fuzz) link a definition that is false, so that a changed byte
/// reaches the code behind the checksum.
bool checksums_count();

}  // namespace cdt
