// The section of a page about the data set: the findings of its audit.
#pragma once

#include <filesystem>

#include "apps/report/page.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Shows the findings of audit.json if that is of the data set as it is. Otherwise audits here what
/// needs no DNA, with the gene starts of `genes` unless empty, and names the command that audits
/// the rest.
PageSection data_section(const Dataset& data, const std::filesystem::path& genes);

}  // namespace cdt
