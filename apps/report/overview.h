// Top of the page: which model and data, the headline numbers, and cautions for reading them.
#pragma once

#include "apps/report/html.h"
#include "apps/report/material.h"

namespace cdt {

/// "CDT on DATA: r = 0.831 on val"
Html report_title(const Material& material);
Html report_subtitle(const Material& material);
Html report_opening(const Material& material);

}  // namespace cdt
