// How many loci some pairs are of, and how many of equal size these are worth: one locus may hold
// most of the pairs.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace cdt {

struct LociCount {
  std::int64_t number = 0;
  double effective = 0;  // effective_clusters()

  template <class V>
  void fields(V& v) {
    v("loci", number);
    v("effective_loci", effective);
  }
};

/// loci: of each pair.
LociCount count_loci(std::span<const std::int32_t> loci);

/// "97 loci (effective number 2.8)"; without the parenthesis if they are of about equal size.
std::string loci_text(const LociCount& loci);

}  // namespace cdt
