// cdt-import: see apps/import/import.h.
#include <algorithm>
#include <string>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "apps/import/import.h"

namespace {

int import_main(int argc, char** argv) {
  cdt::ImportOptions options;
  std::string missing = "zeros";
  std::int64_t bin_bp = options.bin_bp;
  cdt::Cli cli("cdt-import",
               "Turns the published HDF5 and npz files into a data set directory and reports what "
               "they hold.");
  cli.option("dna", &options.dna, "DNA embeddings (pilot_full_v2.h5)", true);
  cli.option("rna", &options.rna, "RNA embeddings (k562_gene_embeddings_aligned.h5)", true);
  cli.option("protein", &options.protein,
             "protein embeddings (human_proteomelm_embeddings_aligned.h5)", true);
  cli.option("mapping", &options.mapping, "gene renumbering (protein_index_mapping_aligned.npz)",
             true);
  cli.option("train", &options.train, "training pairs (gasperini_train.h5)", true);
  cli.option("val", &options.val, "validation pairs (gasperini_val.h5)", true);
  cli.option("test", &options.test, "test pairs (gasperini_test.h5), if there are any");
  const auto& names = cdt::kMissingDnaNames;
  cli.choice("missing-dna", &missing, {names.begin(), names.end()},
             "elements without a DNA row: zeros as the reference does, drop their pairs, or error");
  cli.option("assembly", &options.assembly, "assembly to name in the data set; nothing is lifted");
  cli.number("bin-bp", &bin_bp, 1, 1000000, "base pairs of a DNA bin");
  cli.common(&options.common, {"out", "quiet"});
  cli.require({"out"});
  if (!cli.parse(argc, argv)) return cdt::kExitDone;
  options.bin_bp = static_cast<int>(bin_bp);
  options.missing =
      static_cast<cdt::MissingDna>(std::find(names.begin(), names.end(), missing) - names.begin());
  return cdt::import_in_sandbox(options);
}

}  // namespace

int main(int argc, char** argv) { return cdt::run_main("cdt-import", argc, argv, import_main); }
