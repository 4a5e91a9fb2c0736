// Files that were given twice in place of two.
#pragma once

#include "apps/import/import.h"

namespace cdt {

/// InputError naming the option whose file is that of another option: the same file by any name, or
/// among pairs (--train, --val, --test) and embeddings (--rna, --protein) one of the same bytes.
void refuse_same_files(const ImportOptions& options);

}  // namespace cdt
