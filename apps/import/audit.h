// What an import found in the files: written as audit.json and printed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/import/placement.h"

namespace cdt {

/// Seen while the DNA samples were copied. A value that is not finite ends the import, so none is
/// counted here.
struct DnaScan {
  std::int64_t rows_used = 0;  // distinct source rows
  std::int64_t zero_rows = 0;  // of these, rows without any value but 0
};

struct AuditInput {
  const std::string& assembly;
  MissingDna missing;
  std::int64_t genes;
  const GeneMap& map;
  const std::vector<std::int64_t>& dna_shape;  // (rows, L, D)
  const DnaIndex& index;
  const DnaScan& scan;
  const std::vector<ScreenSplit>& splits;
  const Placement& data;
};

/// "zeros", "drop", "error"
const char* missing_dna_name(MissingDna missing);

/// The audit as it is written; counts are rows (pairs) unless named otherwise, beta in the screen's
/// units, std with divisor n.
nlohmann::ordered_json make_audit(const AuditInput& input);

/// The same for reading, some twenty lines.
std::string audit_text(const nlohmann::ordered_json& audit);

}  // namespace cdt
