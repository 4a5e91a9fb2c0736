// cdt-audit: looks for what in a data set could mislead a conclusion.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apps/audit/audit.h"
#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/programs.h"
#include "io/dataset/folds.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

struct AuditOptions {
  CommonOptions common;  // config, data, out, overwrite, quiet
  fs::path genes, known_pairs, chrom_sizes;
  std::int64_t fold = 0;
};

bool parse_options(int argc, char** argv, AuditOptions* options) {
  Cli cli("cdt-audit",
          "Looks for what in a data set could mislead a conclusion, and says why in one sentence "
          "each: what the split leaks, windows without information, effects of one sign, genes of "
          "few chromosomes, coordinates of another assembly. DNA is read once, row by row. "
          "Findings are not errors: the exit code is 0.");
  cli.common(&options->common, {"data", "quiet"});
  cli.option("genes", &options->genes,
             "BED file (plain or gzip) of genes by symbol; adds findings about distances, "
             "chromosomes and the assembly; default: the data set's own gene table, if it has one");
  cli.option("known-pairs", &options->known_pairs,
             "TSV (plain or gzip) of elements known to act on a gene, in the assembly that the "
             "data set claims: gene, and chrom start end or enhancer (a place)");
  cli.option("chrom-sizes", &options->chrom_sizes,
             "chromosome sizes (name and bases, tab-separated) of an assembly other than hg19 and "
             "hg38");
  cli.number("fold", &options->fold, 1, kMostFolds,
             "audit the split in which this fold of the data set is test");
  cli.option("out", &options->common.out, "JSON file to write, such as DATA/audit.json");
  cli.flag("overwrite", &options->common.overwrite, "replace an earlier audit in --out");
  cli.require({"data"});
  return cli.parse(argc, argv);
}

Inputs inputs_of(const AuditOptions& options) {
  Inputs inputs(options.common);
  inputs.add_file("--genes", options.genes);
  inputs.add_file("--known-pairs", options.known_pairs);
  inputs.add_file("--chrom-sizes", options.chrom_sizes);
  return inputs;
}

ChromosomeSizes sizes_of(const AuditOptions& options, const Dataset& data) {
  if (options.chrom_sizes.empty()) return ChromosomeSizes(data.assembly);
  return ChromosomeSizes(data.assembly, options.chrom_sizes);
}

void run(const AuditOptions& options) {
  std::optional<OutputFile> out;
  if (!options.common.out.empty()) {
    out.emplace("an audit", "\"cdt-audit\"", options.common, inputs_of(options), "audit.json");
  }
  Dataset data(options.common.data);
  if (options.fold > 0) use_pairs({.fold = options.fold}, &data);
  const ChromosomeSizes sizes = sizes_of(options, data);
  AuditInput input{data, sizes};
  const std::optional<ChosenGeneStarts> genes = choose_gene_starts(options.genes, data);
  if (genes) input.use(*genes);
  std::optional<KnownPairs> known;
  if (!options.known_pairs.empty()) {
    input.known = &known.emplace(read_known_pairs(options.known_pairs));
  }
  const DnaRows dna = read_dna_rows(data, options.common.quiet);
  input.dna = &dna;
  const Audit audit = audit_of(input);
  if (out) {
    nlohmann::ordered_json json = audit_json(input, audit, "cdt-audit " + version());
    nlohmann::ordered_json import = recorded_import(data.directory);
    if (!import.is_null()) json["import"] = std::move(import);
    write_file(out->path(), json_text(json));
  }
  std::fputs(audit_text(audit).c_str(), stdout);
}

}  // namespace

int audit_main(int argc, char** argv) {
  AuditOptions options;
  if (!parse_options(argc, argv, &options)) return kExitDone;
  catch_interrupts("cdt-audit");
  run(options);
  return kExitDone;
}

}  // namespace cdt
