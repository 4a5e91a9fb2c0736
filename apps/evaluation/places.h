// Where an enhancer lies relative to a gene's start, as far as a table of gene starts tells.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/gene_starts.h"

namespace cdt {

struct Place {
  std::int64_t distance = 0;  // in bases, from the enhancer's centre to the gene's start
  double side = 0;            // 1 downstream of the start, -1 upstream, 0 if the strand is unknown
  bool nearest = false;       // no gene of the data set starts nearer to the enhancer
};

/// One per pair. Empty if the gene's start is unknown or on another chromosome.
using Places = std::vector<std::optional<Place>>;

Places places_of(const Dataset& data, const GeneStarts& starts, const std::vector<Pair>& pairs);

}  // namespace cdt
