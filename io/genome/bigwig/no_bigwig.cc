// Replaces bigwig.cc where libBigWig is not installed.
#include "engine/error.h"
#include "io/genome/bigwig/bigwig.h"

namespace cdt {

bool has_bigwig() { return false; }

void write_bigwig(AtomicFile&, std::span<const Chromosome>, const std::vector<ChromosomeScores>&) {
  throw Error("this build has no libBigWig and writes no bigWig");
}

}  // namespace cdt
