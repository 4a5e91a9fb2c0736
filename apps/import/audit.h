// What an import found in the files: written as audit.json and printed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/import/placement.h"

namespace cdt {

/// How much of a held-out split the training split has already seen.
struct Overlap {
  /// Two enhancers are neighbours if their centres are at most this far apart.
  static constexpr std::int64_t kNeighbourBp = 1000;

  std::int64_t pairs = 0;
  std::int64_t pairs_enhancer_in_train = 0;
  std::int64_t pairs_enhancer_near_train = 0;  // the same enhancer or a neighbour
  std::int64_t pairs_gene_in_train = 0;
  std::int64_t pairs_in_train = 0;  // the same enhancer and gene
  std::int64_t enhancers = 0, enhancers_in_train = 0;
  std::int64_t genes = 0, genes_in_train = 0;
};

/// Of the pairs of `held_out`, how many share what with the pairs of the train split.
Overlap overlap_with_train(const Placement& data, Split held_out);

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

/// The audit as it is written; counts are rows (pairs) unless named otherwise, beta in the screen's
/// units, std with divisor n.
nlohmann::ordered_json make_audit(const AuditInput& input);

/// The audit as text, some twenty lines.
std::string audit_text(const nlohmann::ordered_json& audit);

}  // namespace cdt
