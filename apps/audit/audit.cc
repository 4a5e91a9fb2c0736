#include "apps/audit/audit.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/audit/findings.h"
#include "apps/common/tables.h"
#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/text.h"
#include "model/fingerprint.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "cdt-audit";
constexpr std::int64_t kVersion = 1;

/// Appends to `out` the summary of these pairs, if there are any.
void add_summary(const std::string& name, const std::vector<Pair>& pairs,
                 ByName<SplitSummary>* out) {
  if (!pairs.empty()) out->emplace_back(name, summarise_split(pairs));
}

ByName<SplitSummary> splits_of(const Dataset& data) {
  ByName<SplitSummary> out;
  for (const Split split : kSplits) add_summary(split_name(split), data.pairs_of(split), &out);
  return out;
}

ByName<SplitSummary> folds_of(const Dataset& data) {
  ByName<SplitSummary> out;
  for (std::int64_t fold = 1; fold <= data.folds; ++fold) {
    std::vector<Pair> pairs;
    std::copy_if(data.pairs.begin(), data.pairs.end(), std::back_inserter(pairs),
                 [fold](const Pair& pair) { return pair.fold == fold; });
    add_summary(std::to_string(fold), pairs, &out);
  }
  return out;
}

std::string summary_line(const std::string& name, const SplitSummary& s) {
  const auto count = [](std::int64_t value) {
    return text("%10s", format_with_commas(value).c_str());
  };
  std::string line = text("%-9s", name.c_str()) + count(s.pairs) + count(s.enhancers) +
                     count(s.genes) + number_cell(s.beta.min, 9, 3) +
                     number_cell(s.beta.mean, 9, 3) + number_cell(s.beta.max, 9, 3) +
                     number_cell(s.beta.std, 9, 3) +
                     text("%10s", percent_text(s.beta.positive_share).c_str());
  if (s.positive_labels) line += count(*s.positive_labels);
  return line + "\n";
}

std::string table_of(const char* title, const ByName<SplitSummary>& rows) {
  if (rows.empty()) return "";
  std::string out = text("%-9s%10s%10s%10s%9s%9s%9s%9s%10s", title, "pairs", "enhancers", "genes",
                         "beta min", "mean", "max", "std", "positive");
  if (rows.front().second.positive_labels) out += text("%10s", "label 1");
  out += "\n";
  for (const auto& [name, summary] : rows) out += summary_line(name, summary);
  return out;
}

/// An audit.json; null if it is of another format.
nlohmann::json parse_audit(const std::filesystem::path& file) {
  nlohmann::json json = parse_json_file(file);
  JsonReader reader(json, file.string());
  const bool readable = reader.string("format") == kFormat && reader.integer("version") == kVersion;
  return readable ? json : nlohmann::json();
}

}  // namespace

EffectSummary summarise_effects(const std::vector<float>& betas) {
  EffectSummary out;
  const auto [min, max] = std::minmax_element(betas.begin(), betas.end());
  out.min = as_written(*min);
  out.max = as_written(*max);
  const auto n = static_cast<double>(betas.size());
  double sum = 0.0;
  double squares = 0.0;
  for (const float beta : betas) sum += beta;
  out.mean = sum / n;
  for (const float beta : betas) squares += (beta - out.mean) * (beta - out.mean);
  out.std = std::sqrt(squares / n);
  out.zero = std::count(betas.begin(), betas.end(), 0.0F);
  out.positive = std::count_if(betas.begin(), betas.end(), [](float beta) { return beta > 0.0F; });
  out.positive_share = static_cast<double>(out.positive) / n;
  return out;
}

SplitSummary summarise_split(const std::vector<Pair>& pairs) {
  SplitSummary out;
  std::set<std::int32_t> enhancers;
  std::set<std::int32_t> genes;
  std::int64_t positive = 0;
  for (const Pair& pair : pairs) {
    enhancers.insert(pair.enhancer);
    genes.insert(pair.gene);
    positive += pair.label == 1 ? 1 : 0;
  }
  out.pairs = std::ssize(pairs);
  out.enhancers = std::ssize(enhancers);
  out.genes = std::ssize(genes);
  if (pairs.front().label >= 0) out.positive_labels = Nullable<std::int64_t>(positive);
  out.beta = summarise_effects(column(pairs, &Pair::beta));
  return out;
}

Audit audit_of(const AuditInput& input) {
  Audit out;
  out.splits = splits_of(input.data);
  if (input.data.use.fold == 0) out.folds = folds_of(input.data);
  out.leaks = leakages_of(input);
  find_in_pairs(input, &out.findings);
  find_leaks(out.leaks, &out.findings);
  find_in_effects(input, &out.findings);
  find_in_places(input, &out.findings);
  find_in_windows(input, &out.findings);
  find_in_genes(input, &out.findings);
  find_in_distances(input, &out.findings);
  find_in_assembly(input, &out.findings);
  find_in_known_pairs(input, &out.findings);
  return out;
}

Json audit_json(const AuditInput& input, const Audit& audit, const std::string& made_by) {
  Json out = {{"format", kFormat}, {"version", kVersion}, {"made_by", made_by}};
  out["assembly"] = input.data.assembly;
  out["tables"] = digest_of_tables(input.data);
  out["dna_read"] = input.dna != nullptr;
  out["gene_starts"] = input.starts == nullptr ? Json() : Json(input.starts_file);
  out["known_pairs"] = input.known == nullptr ? Json() : Json(input.known->file);
  if (input.data.use.fold > 0) out["fold"] = input.data.use.fold;
  out["splits"] = fields_json(audit.splits);
  if (!audit.folds.empty()) out["folds"] = fields_json(audit.folds);
  out["findings"] = findings_json(audit.findings);
  return out;
}

std::string audit_text(const Audit& audit) {
  const std::int64_t warnings = count_warnings(audit.findings);
  return counted_text(warnings, "warning") + ", " +
         counted_text(std::ssize(audit.findings) - warnings, "note") + "\n" +
         findings_text(audit.findings) + "\n" + table_of("split", audit.splits) +
         (audit.folds.empty() ? "" : "\n" + table_of("fold", audit.folds)) +
         (audit.leaks.empty() ? "" : "\nin train too\n" + leakage_table(audit.leaks));
}

std::optional<RecordedAudit> read_audit_file(const std::filesystem::path& file,
                                             const std::string& tables) {
  const nlohmann::json json = parse_audit(file);
  if (json.is_null()) return std::nullopt;
  const std::string source = file.string();
  JsonReader reader(json, source);
  RecordedAudit out;
  out.current = reader.string("tables") == tables;
  out.has_gene_starts = !reader.value("gene_starts").is_null();
  out.findings = read_findings(reader.value("findings"), source);
  return out;
}

std::optional<RecordedAudit> read_audit(const Dataset& data) {
  const std::filesystem::path file = data.directory / "audit.json";
  return is_there(file) ? read_audit_file(file, digest_of_tables(data)) : std::nullopt;
}

Json recorded_import(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "audit.json";
  if (!is_there(file)) return {};
  const nlohmann::json json = parse_audit(file);
  return json.contains("import") ? Json(json["import"]) : Json();
}

}  // namespace cdt
