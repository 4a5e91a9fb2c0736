// Audit of an import of arrays, written as audit.json and printed.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/import/copy_dna.h"
#include "apps/import/place_audit.h"
#include "apps/import/screen.h"

namespace cdt {

struct ArraysAuditInput {
  const ArraysOptions& options;
  const MatchedGenes& genes;
  const FloatRows& dna;
  std::int64_t bins, dna_dim;
  const DnaScan& scan;
  const Screen& screen;
  const PlaceCheck& places;
};

/// The audit as JSON; counts are rows of the table of pairs unless named otherwise.
nlohmann::ordered_json make_arrays_audit(const ArraysAuditInput& input);

/// The audit as text.
std::string arrays_audit_text(const nlohmann::ordered_json& audit);

}  // namespace cdt
