// The audit of a data set (audit.json in docs/data-sets.md): its pairs by split, and findings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/audit/dna_rows.h"
#include "apps/audit/finding.h"
#include "apps/audit/known_pairs.h"
#include "apps/common/leakage.h"
#include "io/dataset/dataset.h"
#include "io/dataset/gene_starts.h"
#include "io/format/json_types.h"
#include "io/format/text.h"
#include "io/genome/assembly.h"

namespace cdt {

/// What is audited. Null: not read, and what depends on it is left out.
struct AuditInput {
  const Dataset& data;  // its DNA is not read
  const ChromosomeSizes& sizes;
  const DnaRows* dna = nullptr;  // of all enhancers
  const GeneStarts* starts = nullptr;
  std::string starts_file = {};  // named in sentences
  const KnownPairs* known = nullptr;

  /// Sets the gene starts, which must outlive this.
  void use(const ChosenGeneStarts& genes) {
    starts = &genes.starts;
    starts_file = path_text(genes.file.filename());
  }
};

/// Distribution of effects; std has divisor n.
struct EffectSummary {
  double min = 0, max = 0, mean = 0, std = 0;
  std::int64_t zero = 0, positive = 0;
  double positive_share = 0;

  template <class V>
  void fields(V& v) {
    v("min", min);
    v("max", max);
    v("mean", mean);
    v("std", std);
    v("zero", zero);
    v("positive", positive);
    v("positive_share", positive_share);
  }
};
/// Summary of at least one effect.
EffectSummary summarise_effects(const std::vector<float>& betas);

/// Pairs of one split, at least one.
struct SplitSummary {
  std::int64_t pairs = 0, enhancers = 0, genes = 0;
  Nullable<std::int64_t> positive_labels;  // null without labels
  EffectSummary beta;

  template <class V>
  void fields(V& v) {
    v("pairs", pairs);
    v("enhancers", enhancers);
    v("genes", genes);
    v("positive_labels", positive_labels);
    v("beta", beta);
  }
};
SplitSummary summarise_split(const std::vector<Pair>& pairs);

struct Audit {
  ByName<SplitSummary> splits;  // those that have pairs
  ByName<SplitSummary> folds;   // if the pairs have folds and none was chosen
  std::vector<Leakage> leaks;
  Findings findings;
};
Audit audit_of(const AuditInput& input);

/// audit.json without "import". `made_by` is the program and its version.
nlohmann::ordered_json audit_json(const AuditInput& input, const Audit& audit,
                                  const std::string& made_by);
/// Findings, warnings first, and the table of splits.
std::string audit_text(const Audit& audit);

/// What audit.json of a data set records; current: of its pairs, lists and gene tables as they are.
struct RecordedAudit {
  bool current = false;
  bool has_gene_starts = false;
  Findings findings;
};
/// Reads audit.json of the data set; nothing if there is none, or one of an older format.
std::optional<RecordedAudit> read_audit(const Dataset& data);
/// As read_audit(), but from this file, of a data set whose digest_of_tables() is `tables`.
std::optional<RecordedAudit> read_audit_file(const std::filesystem::path& file,
                                             const std::string& tables);
/// What cdt-import recorded of its sources, "import" of audit.json in the folder of a data set;
/// null if there is none.
nlohmann::ordered_json recorded_import(const std::filesystem::path& folder);

}  // namespace cdt
