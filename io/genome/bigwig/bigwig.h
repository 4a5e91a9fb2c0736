// bigWig files, the indexed binary form of bedGraph, written with libBigWig. Where that library is
// not installed, no_bigwig.cc is built instead and has_bigwig() is false.
#pragma once

#include <span>
#include <vector>

#include "io/format/output.h"
#include "io/genome/assembly.h"
#include "io/genome/tracks.h"

namespace cdt {

/// Whether the programs were built with libBigWig.
bool has_bigwig();

/// Writes a bigWig file with zoom levels; the caller commits it. chromosomes: all those of the
/// assembly, in byte order of their names (chromosomes_of()). scores: in the same order, ascending,
/// without overlap, within their chromosomes, at least one interval. The file is read back and
/// compared before. Throws Error without libBigWig and if writing or reading back fails.
void write_bigwig(AtomicFile& file, std::span<const Chromosome> chromosomes,
                  const std::vector<ChromosomeScores>& scores);

}  // namespace cdt
