// Everything on a page: the data set, the run trained on it, the evaluation of its model, an
// attribution, and the commands that made them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/report/attribution.h"
#include "apps/report/evaluated.h"
#include "apps/report/sources.h"
#include "io/dataset/dataset.h"
#include "io/dataset/truth.h"
#include "io/genome/annotations.h"

namespace cdt {

struct Material {
  const Dataset& data;
  std::string command;  // the cdt-report command
  std::string pair;     // ENHANCER:GENE of --pair; may be empty
  RunRecord run;
  std::string data_digest;  // of the data set
  std::optional<Truth> truth;
  std::optional<Evaluated> evaluated;      // empty if the run has no model yet
  std::optional<Attribution> attribution;  // empty if not given
  std::vector<Annotations> annotations;    // elements to draw under the windows
};

/// Distance in kb from the enhancer's centre to the left edge of a bin.
double offset_kb(const Dataset& data, std::int64_t bin);

/// End of a chromosome: as the attribution was told, else that of the assembly; 0 if unknown.
std::int64_t chromosome_end(const Material& material, const std::string& chrom);

/// An option of cdt-attribute and its value; a flag has none.
struct AttributeOption {
  std::string name, value;
};
/// The cdt-attribute command of the attribution, or one that makes it, with further options. If it
/// already has an option, the new value is added to its comma-separated list.
std::string attribute_command(const Material& material,
                              const std::vector<AttributeOption>& further = {});

}  // namespace cdt
