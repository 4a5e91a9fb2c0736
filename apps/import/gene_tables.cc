#include "apps/import/gene_tables.h"

#include "apps/common/program.h"
#include "io/dataset/gene_starts.h"

namespace cdt {

void GeneTables::read_starts(const std::filesystem::path& file,
                             const std::vector<Enhancer>& enhancers) {
  if (file.empty()) return;
  GeneStarts read = read_gene_starts(file, genes, enhancers, "the gene list");
  const std::string remark = read.remark(file);
  if (!remark.empty()) note(remark);
  starts = std::move(read.of_gene);
}

}  // namespace cdt
