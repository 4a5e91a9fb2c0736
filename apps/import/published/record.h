// What an import of the published files read, kept and left out: "import" of audit.json, and as
// text.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/import/published/placement.h"

namespace cdt {

struct PublishedImported {
  MissingDna missing;
  std::int64_t genes;
  const GeneMap& map;
  const std::vector<std::int64_t>& dna_shape;  // (rows, L, D)
  const DnaIndex& index;
  std::int64_t rows_used;  // of the DNA file
  const std::vector<ScreenSplit>& splits;
  const Placement& data;
};

/// Counts are rows (pairs) unless named otherwise.
nlohmann::ordered_json published_record(const PublishedImported& input);
std::string published_record_text(const nlohmann::ordered_json& record);

}  // namespace cdt
