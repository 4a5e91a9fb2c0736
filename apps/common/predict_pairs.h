// Predictions for a list of pairs: one forward pass per distinct enhancer serves all its genes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "apps/common/dna_feed.h"
#include "engine/tape.h"
#include "io/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// The distinct enhancers of the pairs, ascending (the order of dna on disk).
std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs);

/// One prediction per pair, in their order, in eval mode; no parameter wants a gradient. Batches of
/// enhancers are as large as outputs (batch, G), memory on the device, allows; go_on(enhancers
/// done) is asked after each, and if it says no there are no predictions.
std::optional<std::vector<float>> predict_pairs(
    Cdt& model, Tape& tape, DnaFeed& feed, const Trunks& trunks, const Tensor& outputs,
    const std::vector<Pair>& pairs, const std::function<bool(std::int64_t done)>& go_on);

}  // namespace cdt
