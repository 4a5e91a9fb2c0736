#include "apps/report/data_section.h"

#include "apps/audit/audit.h"
#include "apps/common/program.h"
#include "apps/report/numerals.h"
#include "io/format/text.h"

namespace cdt {
namespace {

Html findings_list(const Findings& findings) {
  Html items;
  for (const Severity severity : {Severity::kWarning, Severity::kNote}) {
    for (const Finding& finding : findings) {
      if (finding.severity != severity) continue;
      const Html kind = severity == Severity::kWarning ? element("b", "Warning. ") : Html();
      items +=
          element("li", {{"data-finding", finding.name}}, kind + with_true_minus(finding.sentence));
    }
  }
  return items.empty() ? element("p", "There are no findings.") : element("ul", items);
}

/// Findings that need no DNA, computed here.
Findings findings_without_dna(const Dataset& data, const std::filesystem::path& genes) {
  const ChromosomeSizes sizes(data.assembly);
  AuditInput input{data, sizes};
  const std::optional<ChosenGeneStarts> chosen = choose_gene_starts(genes, data);
  if (chosen) input.use(*chosen);
  return audit_of(input).findings;
}

/// The command that audits all of the data set; genes: "" for none.
std::string audit_command(const Dataset& data, const std::string& genes, bool overwrite) {
  std::string out = "cdt-audit --data " + shell_word(data.directory.string());
  if (data.use.fold > 0) out += " --fold " + std::to_string(data.use.fold);
  if (!genes.empty()) out += " --genes " + shell_word(genes);
  out += " --out " + shell_word((data.directory / "audit.json").string());
  return out + (overwrite ? " --overwrite" : "");
}

}  // namespace

PageSection data_section(const Dataset& data, const std::filesystem::path& genes) {
  const std::optional<RecordedAudit> recorded = read_audit(data);
  const bool shown = recorded && recorded->current;
  PageSection out{"data", "What is unusual in the data set", {}, {}, {}};
  out.introduction =
      "Each finding says what may change a conclusion. A warning can make a result look better "
      "than it is, or mean something else.";
  out.text = findings_list(shown ? recorded->findings : findings_without_dna(data, genes));
  std::string missing;
  std::string file = genes.string();
  if (!recorded) {
    missing =
        "The data set has no audit.json, so the findings above were computed for this page, "
        "without reading DNA.";
  } else if (!shown) {
    missing =
        "audit.json of the data set is of another split or other tables, so the findings above "
        "were computed for this page, without reading DNA.";
  } else if (!recorded->has_gene_starts) {
    missing = "The audit was made without gene starts, so it has no finding about distances.";
    if (file.empty() && data.gene_starts.empty()) file = "genes.bed";
  } else {
    return out;
  }
  out.items.push_back({"The rest of the audit", Omission{missing, true},
                       audit_command(data, file, recorded.has_value())});
  return out;
}

}  // namespace cdt
