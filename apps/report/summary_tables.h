// Tables of the numbers and nulls that cdt-attribute put into summary.json.
#pragma once

#include "apps/report/html.h"
#include "apps/report/material.h"

namespace cdt {

/// A row per method: where its peaks lie and how sharp it is, with intervals and p.
Html method_table(const Attribution& attribution);
/// A row per two methods: top bins shared and correlation.
Html agreement_table(const Attribution& attribution);

}  // namespace cdt
