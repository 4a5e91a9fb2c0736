// Enhancers that the recorded assembly cannot hold: a sign that they are in another assembly, or
// that their chromosomes have other names.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

struct PlaceCheck {
  std::string assembly;
  bool known = false;          // whether the sizes of its chromosomes are
  std::int64_t past_end = 0;   // enhancers that end past their chromosome
  std::int64_t elsewhere = 0;  // enhancers on a chromosome that it does not have
  const Enhancer* first_past_end = nullptr;
  const Enhancer* first_elsewhere = nullptr;
};

/// Compares enhancers with chromosomes_of(assembly). Names with an underscore, as of alternate and
/// unplaced sequences, are not in that table and are not counted. `enhancers` outlives the result.
PlaceCheck check_places(const std::vector<Enhancer>& enhancers, const std::string& assembly);

/// Warns of what the check found; `source` is where the enhancers were read.
void warn_of_places(const PlaceCheck& check, const std::string& source);

/// Adds "enhancers_past_chromosome_end" and "enhancers_on_other_chromosomes" to audit["assembly"];
/// null if the sizes are not known.
void add_places(nlohmann::ordered_json* audit, const PlaceCheck& check);

/// One line with the two counts of audit["assembly"].
std::string places_text(const nlohmann::ordered_json& audit);

}  // namespace cdt
