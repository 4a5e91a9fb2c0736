// The DNA windows at the starts of genes, for models with gene windows (docs/extensions.md): what a
// gene reads there depends on no enhancer, so in eval mode it is computed once per checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/config.h"
#include "model/dna_feed.h"

namespace cdt {

/// Eval mode only. Reads the windows of `genes` with `feed` and computes their rows of
/// trunks.gene_windows, a batch of the feed at a time. Predictions of other genes then mean
/// nothing. go_on() is called after each batch; returns false as soon as it does.
bool read_gene_windows(
    const Cdt& model, Tape& tape, DnaFeed& feed, const std::vector<std::int32_t>& genes,
    const Trunks& trunks, const std::function<bool()>& go_on = [] { return true; });

}  // namespace cdt
