// The top of the page: what was trained on what, the headline numbers, and what to weigh when
// reading them.
#pragma once

#include "apps/report/html.h"
#include "apps/report/material.h"

namespace cdt {

/// "CDT on DATA: r = 0.831 on val"
Html report_title(const Material& material);
Html report_subtitle(const Material& material);
Html report_opening(const Material& material);

}  // namespace cdt
