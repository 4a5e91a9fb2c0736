#include "io/format/checksum.h"

namespace cdt {

bool checksums_count() { return true; }

}  // namespace cdt
