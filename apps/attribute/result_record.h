// The results of an enhancer as a record of a shard's journal: everything that the sections read
// and that is not computed from it again.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "apps/attribute/passes.h"

namespace cdt {

std::string encode_result(const EnhancerResult& result);

/// Returns the result of these pairs, those of one enhancer and sample, without numbers and maps.
/// methods: how many ran; bins: L. Throws InputError naming `source` if the record is of other
/// pairs or not of a result of this shape.
EnhancerResult decode_result(std::string_view record, const std::string& source,
                             std::span<const Pair> pairs, std::size_t methods, std::int64_t bins);

}  // namespace cdt
