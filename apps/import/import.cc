#include "apps/import/import.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "apps/import/arrays.h"
#include "apps/import/published/import.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kSummary =
    "Makes a data set directory and reports what went into it.\n\n"
    "  From arrays:      --dna --rna --protein, --genes (or --rna-genes and\n"
    "                    --protein-genes), --enhancers, --pairs; an array is\n"
    "                    FILE[:NAME]: an .npy, an array of an .npz, or a data\n"
    "                    set of an HDF5 file\n"
    "  Published files:  --dna --rna --protein --mapping --train --val\n"
    "                    [--test]; HDF5 and .npz";

constexpr std::initializer_list<const char*> kPublishedOptions{"mapping", "train", "val", "test",
                                                               "missing-dna"};
constexpr std::initializer_list<const char*> kArraysOptions{
    "genes",         "rna-genes", "protein-genes", "enhancers", "pairs",  "unknown-names",
    "keep-untested", "bfloat16",  "store",         "dna-gene",  "samples"};

/// Values of options that take a word.
struct Words {
  std::string missing = kMissingDnaNames.front();
  std::string unknown = "error";
  std::string store = "float32";
  std::int64_t bin_bp = 128;
};

void add_shared(Cli* cli, ImportOptions* o, Words* words) {
  cli->option("dna", &o->dna, "DNA embeddings: (windows, bins, features)", true);
  cli->option("rna", &o->rna,
              "RNA embeddings: (genes, features), or with --samples (samples, genes, features)",
              true);
  cli->option("protein", &o->protein, "protein embeddings: (genes, features)", true);
  cli->option("gene-table", &o->gene_table,
              "BED file (plain or gzip) of genes by symbol; their starts become genes.bed of the "
              "data set");
  cli->option("assembly", &o->assembly,
              "assembly to record in the data set; there is no lift-over");
  cli->number("bin-bp", &words->bin_bp, 1, 1000000, "width of a DNA bin in base pairs");
}

void add_arrays(Cli* cli, ArraysOptions* o, Words* words) {
  cli->option("genes", &o->genes,
              "arrays: gene symbols of the rows of --rna and --protein, one per line");
  cli->option("rna-genes", &o->rna_genes,
              "arrays: gene symbols of --rna if the two lists differ; genes in both are kept");
  cli->option("protein-genes", &o->protein_genes, "arrays: gene symbols of --protein");
  cli->option("enhancers", &o->enhancers, "arrays: BED file with one line for each row of --dna");
  cli->option(
      "pairs", &o->pairs,
      "arrays: table with the columns split, enhancer, gene, beta and optionally label, fold "
      "and se; with --samples also sample");
  cli->option("samples", &o->samples,
              "arrays: names of the samples (cells, donors, conditions) of --rna, one per line");
  cli->option("dna-gene", &o->dna_gene,
              "arrays: DNA embeddings around the genes' starts, one window for each gene of the "
              "RNA list: (genes, bins, features)");
  cli->choice("unknown-names", &words->unknown, {"error", "drop"},
              "arrays: what to do with a pair whose enhancer or gene is in no list");
  cli->flag("keep-untested", &o->keep_untested,
            "arrays: keep enhancers without a pair, and their DNA");
  cli->flag("bfloat16", &o->void_is_bfloat16,
            "arrays: read two-byte values without a type (V2, opaque) as bfloat16");
  cli->choice("store", &words->store, {"float32", "bfloat16"},
              "arrays: type in which DNA is stored; bfloat16 takes half the space");
}

void add_published(Cli* cli, ImportOptions* o, Words* words) {
  cli->option("mapping", &o->mapping,
              "published: gene renumbering (protein_index_mapping_aligned.npz)");
  cli->option("train", &o->train, "published: training pairs (gasperini_train.h5)");
  cli->option("val", &o->val, "published: validation pairs (gasperini_val.h5)");
  cli->option("test", &o->test, "published: test pairs (gasperini_test.h5), optional");
  cli->choice("missing-dna", &words->missing, {kMissingDnaNames.begin(), kMissingDnaNames.end()},
              "published: what to do with an element without a DNA row: use zeros as the reference "
              "does, drop its pairs, or stop with an error");
}

/// First of these options that was given, or null.
const char* first_given(const Cli& cli, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (cli.was_set(name)) return name;
  }
  return nullptr;
}

[[noreturn]] void refuse(const std::string& option, const std::string& what) {
  throw InputError("command line", "--" + option, what);
}

void require(const Cli& cli, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (!cli.was_set(name)) refuse(name, "required, but not given");
  }
}

/// Whether arrays are imported; throws InputError if the options name both kinds of input or
/// neither.
bool is_of_arrays(const Cli& cli) {
  const char* published = first_given(cli, kPublishedOptions);
  const char* arrays = first_given(cli, kArraysOptions);
  if (published != nullptr && arrays != nullptr) {
    refuse(arrays, std::string("is an option of arrays, --") + published +
                       " one of the published files: give those of one kind");
  }
  if (published == nullptr && arrays == nullptr) {
    refuse("pairs", "required, but not given (for the published files: --mapping, --train, --val)");
  }
  return arrays != nullptr;
}

void check_gene_lists(const Cli& cli) {
  if (!cli.was_set("genes")) {
    if (!cli.was_set("rna-genes") && !cli.was_set("protein-genes")) require(cli, {"genes"});
    return require(cli, {"rna-genes", "protein-genes"});
  }
  const char* other = first_given(cli, {"rna-genes", "protein-genes"});
  if (other != nullptr) refuse(other, "does not go with --genes, which is of both tables");
}

/// Notes the assumed bin width and assembly if they were not given, since a wrong one misplaces
/// every window.
void say_assumed(const Cli& cli, const ArraysOptions& options) {
  std::string assumed;
  if (!cli.was_set("bin-bp")) assumed = "--bin-bp " + std::to_string(options.bin_bp);
  if (!cli.was_set("assembly")) {
    assumed += (assumed.empty() ? "--assembly " : ", --assembly ") + options.assembly;
  }
  if (!assumed.empty()) note("assumed: " + assumed);
}

int import_arrays_of(const Cli& cli, const ImportOptions& shared, const Words& words,
                     ArraysOptions options) {
  require(cli, {"enhancers", "pairs"});
  check_gene_lists(cli);
  options.dna = shared.dna;
  options.rna = shared.rna;
  options.protein = shared.protein;
  options.gene_table = shared.gene_table;
  options.common = shared.common;
  options.assembly = shared.assembly;
  options.bin_bp = shared.bin_bp;
  options.drop_unknown = words.unknown == "drop";
  options.store_bfloat16 = words.store == "bfloat16";
  say_assumed(cli, options);
  run_arrays_import(options);
  return kExitDone;
}

}  // namespace

int import_main(int argc, char** argv) {
  ImportOptions published;
  ArraysOptions arrays;
  Words words;
  Cli cli("cdt-import", kSummary);
  add_shared(&cli, &published, &words);
  add_arrays(&cli, &arrays, &words);
  add_published(&cli, &published, &words);
  cli.common(&published.common, {"out", "quiet"});
  cli.require({"out"});
  if (!cli.parse(argc, argv)) return kExitDone;
  published.bin_bp = static_cast<int>(words.bin_bp);
  if (is_of_arrays(cli)) return import_arrays_of(cli, published, words, arrays);
  require(cli, {"mapping", "train", "val"});
  published.missing = static_cast<MissingDna>(
      std::find(kMissingDnaNames.begin(), kMissingDnaNames.end(), words.missing) -
      kMissingDnaNames.begin());
  run_published_import(published);
  return kExitDone;
}

}  // namespace cdt
