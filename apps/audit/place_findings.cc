#include <set>
#include <tuple>

#include "apps/audit/findings.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// Counts enhancers and keeps the first for the sentence.
struct Counted {
  std::int64_t count = 0;
  const Enhancer* first = nullptr;

  void add(const Enhancer& enhancer) {
    if (++count == 1) first = &enhancer;
  }
  /// "3 enhancers end", "1 enhancer ends"
  std::string that(const char* one, const char* several) const {
    return counted_text(count, "enhancer") + " " + (count == 1 ? one : several);
  }
};

void find_repeated(const Dataset& data, Findings* out) {
  std::set<std::tuple<std::string, std::int64_t, std::int64_t>> places;
  for (const Enhancer& e : data.enhancers) places.emplace(e.chrom, e.start, e.end);
  const auto repeated = data.enhancers_count() - static_cast<std::int64_t>(places.size());
  if (repeated == 0) return;
  out->push_back({"repeated_coordinates",
                  Severity::kWarning,
                  counted_text(repeated, "enhancer") + (repeated == 1 ? " has" : " have") +
                      " the coordinates of an earlier one, so one place counts as several "
                      "enhancers, and a split by enhancer can put it on both sides.",
                  {{"enhancers", repeated}, {"distinct_places", places.size()}}});
}

void report_elsewhere(const AuditInput& input, const Counted& elsewhere, Findings* out) {
  if (elsewhere.count == 0) return;
  const std::string& chrom = elsewhere.first->chrom;
  const bool prefix = input.sizes.size("chr" + chrom) > 0;
  out->push_back({"enhancers_on_other_chromosomes",
                  Severity::kWarning,
                  elsewhere.that("is", "are") + " on chromosomes that " + input.data.assembly +
                      " does not have, first " + elsewhere.first->name + " on " + chrom +
                      (prefix ? " (there it is chr" + chrom + ")" : "") +
                      ", so they match neither annotations nor gene starts.",
                  {{"enhancers", elsewhere.count}, {"first", elsewhere.first->name}}});
}

void find_off_chromosome(const AuditInput& input, Findings* out) {
  const Dataset& data = input.data;
  Counted past_end;
  Counted elsewhere;
  Counted cut;
  for (const Enhancer& e : data.enhancers) {
    const std::int64_t size = input.sizes.size(e.chrom);
    // Unplaced and alternate sequences, whose names have an underscore, are not in the tables.
    const bool unplaced = e.chrom.find('_') != std::string::npos;
    if (size == 0 && !unplaced && !input.sizes.all().empty()) elsewhere.add(e);
    const std::int64_t start = e.centre() - data.bins / 2 * data.bin_bp;
    const std::int64_t end = start + data.bins * data.bin_bp;
    if (size > 0 && e.end > size) {
      past_end.add(e);
    } else if (start < 0 || (size > 0 && end > size)) {
      cut.add(e);
    }
  }
  if (past_end.count > 0) {
    out->push_back({"enhancers_past_chromosome_end",
                    Severity::kWarning,
                    past_end.that("ends", "end") + " past the end of " +
                        (past_end.count == 1 ? "its chromosome" : "their chromosomes") + " in " +
                        data.assembly + ", first " + past_end.first->name +
                        ", so these coordinates, and probably the others too, are of another "
                        "assembly.",
                    {{"enhancers", past_end.count}, {"first", past_end.first->name}}});
  }
  report_elsewhere(input, elsewhere, out);
  if (cut.count > 0) {
    out->push_back({"windows_past_chromosome_end",
                    Severity::kNote,
                    "The DNA windows of " + counted_text(cut.count, "enhancer") +
                        " reach past an end of the chromosome, so some of their bins describe "
                        "padding, and a peak there means nothing.",
                    {{"enhancers", cut.count}, {"first", cut.first->name}}});
  }
}

}  // namespace

void find_in_places(const AuditInput& input, Findings* out) {
  find_repeated(input.data, out);
  if (input.sizes.all().empty()) {
    out->push_back({"chromosome_sizes_unknown", Severity::kNote,
                    "The sizes of the chromosomes of " + input.data.assembly +
                        " are not known, so it was not checked whether enhancers lie on them.",
                    nlohmann::ordered_json::object()});
  }
  find_off_chromosome(input, out);
}

}  // namespace cdt
