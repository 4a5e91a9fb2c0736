// Tables of the numbers and nulls that cdt-attribute put into summary.json.
#pragma once

#include "apps/report/html.h"
#include "apps/report/material.h"
#include "model/stats/null_tests.h"

namespace cdt {

/// The p of a test as summary.json has it, NaN where it has none.
ResampledP read_p(const nlohmann::json& test);
/// Of the p of two nulls the one that claims less; without a p where one has none.
ResampledP weaker_p(const nlohmann::json& first, const nlohmann::json& second);

/// A row per method: where its peaks lie and how sharp it is, with intervals and p. Empty if
/// summary.json has none.
Html method_table(const Attribution& attribution);
/// A row per two methods: top bins shared and correlation.
Html agreement_table(const Attribution& attribution);

}  // namespace cdt
