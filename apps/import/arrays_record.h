// What an import of arrays read, kept and left out: "import" of audit.json, and as text.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/import/screen.h"
#include "io/format/float_rows.h"

namespace cdt {

struct ArraysImported {
  const ArraysOptions& options;
  const MatchedGenes& genes;
  const FloatRows& dna;
  std::int64_t bins, dna_dim;
  std::int64_t rows_used;  // of dna
  const Screen& screen;
  const FloatRows* dna_gene;  // null: not given
};

/// Counts are rows of the table of pairs unless named otherwise.
nlohmann::ordered_json arrays_record(const ArraysImported& input);
std::string arrays_record_text(const nlohmann::ordered_json& record);

}  // namespace cdt
