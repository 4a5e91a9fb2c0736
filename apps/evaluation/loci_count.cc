#include "apps/evaluation/loci_count.h"

#include <set>

#include "apps/common/tables.h"
#include "model/stats/bootstrap.h"

namespace cdt {

LociCount count_loci(std::span<const std::int32_t> loci) {
  return {std::ssize(std::set(loci.begin(), loci.end())), effective_clusters(loci)};
}

std::string loci_text(const LociCount& loci) {
  constexpr double kAboutEqual = 0.9;
  std::string number = loci.number == 1 ? "1 locus" : std::to_string(loci.number) + " loci";
  if (loci.effective > kAboutEqual * static_cast<double>(loci.number)) return number;
  return number + text(" (effective number %.1f)", loci.effective);
}

}  // namespace cdt
