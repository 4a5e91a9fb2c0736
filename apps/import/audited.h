// The end of every import: the data set is audited (apps/audit), audit.json is added, and both the
// record of the import and the audit are printed.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/audit/dna_rows.h"
#include "apps/import/gene_tables.h"
#include "io/dataset/dataset_writer.h"

namespace cdt {

/// The written data set in memory, without its DNA windows.
Dataset written_dataset(const DatasetSizes& sizes, std::vector<Enhancer> enhancers,
                        std::vector<Pair> pairs, GeneTables tables);

/// What an import did: as JSON ("import" of audit.json) and as text.
struct ImportRecord {
  const nlohmann::ordered_json& json;
  const std::string& text;
  std::string source;  // of the enhancers, named in warnings on stderr
};

/// Audits `data`, whose windows are described by `dna`, adds audit.json, finishes the data set with
/// `provenance` and prints. Enhancers that the assembly cannot hold are also a warning on stderr.
void finish_audited(const Dataset& data, const DnaRows& dna, const ImportRecord& record,
                    const nlohmann::ordered_json& provenance, DatasetWriter* writer);

}  // namespace cdt
