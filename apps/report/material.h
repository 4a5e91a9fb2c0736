// Everything a page is made of: the data set, the run that was trained on it, the evaluation of its
// model, an attribution; and the commands that made them.
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
  std::string command;  // the cdt-report line
  std::string pair;     // ENHANCER:GENE that it names; empty: none
  RunRecord run;
  std::string data_digest;  // of the data set
  std::optional<Truth> truth;
  std::optional<Evaluated> evaluated;      // absent: the run has no model yet
  std::optional<Attribution> attribution;  // absent: not asked for
  std::vector<Annotations> annotations;    // elements to draw under the windows
};

/// From the enhancer's centre to the left edge of a bin, in kb.
double offset_kb(const Dataset& data, std::int64_t bin);

/// The end of a chromosome: what the attribution was told, else that of the assembly; 0: not known.
std::int64_t chromosome_end(const Material& material, const std::string& chrom);

/// An option of cdt-attribute with its value; without one it is a flag.
struct AttributeOption {
  std::string name, value;
};
/// The cdt-attribute line of the attribution, or one that makes it, with further options; the value
/// of one that it has already joins its comma-separated list.
std::string attribute_command(const Material& material,
                              const std::vector<AttributeOption>& further = {});

}  // namespace cdt
