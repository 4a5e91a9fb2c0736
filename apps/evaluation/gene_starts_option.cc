#include "apps/evaluation/gene_starts_option.h"

#include "apps/evaluation/loci.h"
#include "apps/evaluation/position_baselines.h"
#include "engine/error.h"
#include "io/dataset/gene_starts.h"
#include "io/format/text.h"

namespace cdt {

void add_gene_starts_option(Cli* cli, std::filesystem::path* file) {
  cli->option("genes", file,
              "BED file (plain or gzip) of genes by symbol: adds the baselines that know the "
              "distance to a gene's start, alone and in a ridge regression");
}

std::vector<BaselinePrediction> further_baselines(const std::filesystem::path& file,
                                                  const Dataset& data,
                                                  const std::vector<Pair>& pairs, bool quiet) {
  if (file.empty()) return {};
  const std::vector<Pair> train = data.pairs_of(Split::kTrain);
  if (train.empty()) {
    throw InputError((data.directory / "pairs.tsv").string(), "split",
                     "--genes needs training pairs to fit its baselines on, there are none");
  }
  const GeneStarts starts = read_gene_starts(file, data);
  const std::string remark = starts.remark(file);
  if (!remark.empty() && !quiet) note(remark);
  return position_baselines(data, starts, train, pairs, loci_of(data));
}

}  // namespace cdt
