#include "apps/import/audited.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/audit/audit.h"
#include "apps/common/program.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {

Dataset written_dataset(const DatasetSizes& sizes, std::vector<Enhancer> enhancers,
                        std::vector<Pair> pairs, GeneTables tables) {
  Dataset out;
  out.bins = sizes.bins;
  out.dna_dim = sizes.dna_dim;
  out.rna_dim = sizes.rna_dim;
  out.protein_dim = sizes.protein_dim;
  out.bin_bp = sizes.bin_bp;
  out.assembly = sizes.assembly;
  out.rna = std::move(tables.rna);
  out.protein = std::move(tables.protein);
  out.genes = std::move(tables.genes);
  out.gene_starts = std::move(tables.starts);
  if (!out.gene_starts.empty()) out.gene_table = "genes.bed";
  out.enhancers = std::move(enhancers);
  out.pairs = std::move(pairs);
  for (const Pair& pair : out.pairs) out.folds = std::max<std::int64_t>(out.folds, pair.fold);
  return out;
}

void finish_audited(const Dataset& data, const DnaRows& dna, const ImportRecord& record,
                    const nlohmann::ordered_json& provenance, DatasetWriter* writer) {
  const ChromosomeSizes sizes(data.assembly);
  AuditInput input{.data = data, .sizes = sizes, .dna = &dna};
  const std::optional<ChosenGeneStarts> genes = choose_gene_starts({}, data);
  if (genes) input.use(*genes);
  const Audit audit = audit_of(input);
  nlohmann::ordered_json json = audit_json(input, audit, "cdt-import " + version());
  json["import"] = record.json;
  writer->write_extra("audit.json", json_text(json));
  writer->finish(provenance.dump());
  for (const char* name : {"enhancers_past_chromosome_end", "enhancers_on_other_chromosomes"}) {
    const Finding* finding = find_finding(audit.findings, name);
    if (finding != nullptr) warn(record.source + ": assembly: " + finding->sentence);
  }
  std::fputs((record.text + audit_text(audit)).c_str(), stdout);
}

}  // namespace cdt
