#include "apps/import/place_audit.h"

#include <nlohmann/json.hpp>

#include "io/format/text.h"
#include "io/genome/assembly.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPastEnd = "enhancers_past_chromosome_end";
constexpr const char* kElsewhere = "enhancers_on_other_chromosomes";

void count(const Enhancer& enhancer, std::int64_t* number, const Enhancer** first) {
  if (++*number == 1) *first = &enhancer;
}

std::string enhancers_that(std::int64_t number, const char* one, const char* several) {
  return number_of(number, "enhancer") + " " + (number == 1 ? one : several);
}

}  // namespace

PlaceCheck check_places(const std::vector<Enhancer>& enhancers, const std::string& assembly) {
  const ChromosomeSizes sizes(assembly);
  PlaceCheck out{.assembly = assembly, .known = !sizes.all().empty()};
  if (!out.known) return out;
  for (const Enhancer& e : enhancers) {
    const std::int64_t size = sizes.size(e.chrom);
    if (size > 0 && e.end > size) count(e, &out.past_end, &out.first_past_end);
    const bool elsewhere = size == 0 && e.chrom.find('_') == std::string::npos;
    if (elsewhere) count(e, &out.elsewhere, &out.first_elsewhere);
  }
  return out;
}

void warn_of_places(const PlaceCheck& check, const std::string& source) {
  const std::string where = source + ": assembly: ";
  if (check.past_end > 0) {
    warn(where + enhancers_that(check.past_end, "ends", "end") + " past the end of " +
         (check.past_end == 1 ? "its chromosome" : "their chromosomes") + " in " + check.assembly +
         ", first " + check.first_past_end->name);
  }
  if (check.elsewhere > 0) {
    const std::string& chrom = check.first_elsewhere->chrom;
    const bool prefix = ChromosomeSizes(check.assembly).size("chr" + chrom) > 0;
    warn(where + enhancers_that(check.elsewhere, "is", "are") + " on chromosomes that " +
         check.assembly + " does not have, first " + check.first_elsewhere->name + " on " + chrom +
         (prefix ? " (there it is chr" + chrom + ")" : ""));
  }
}

void add_places(Json* audit, const PlaceCheck& check) {
  Json& assembly = (*audit)["assembly"];
  assembly[kPastEnd] = check.known ? Json(check.past_end) : Json();
  assembly[kElsewhere] = check.known ? Json(check.elsewhere) : Json();
}

std::string places_text(const Json& audit) {
  const Json& assembly = audit["assembly"];
  const std::string name = assembly["name"].get<std::string>();
  if (assembly[kPastEnd].is_null()) {
    return "the chromosomes of " + name + " are not known: no place was checked\n";
  }
  return "enhancers past the end of their chromosome in " + name + ": " +
         assembly[kPastEnd].dump() +
         "; on a chromosome that it does not have: " + assembly[kElsewhere].dump() + "\n";
}

}  // namespace cdt
