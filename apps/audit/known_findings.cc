#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "apps/audit/findings.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kToleranceBp = 2;    // odd and even lengths move a centre by one base
constexpr std::size_t kFewestAtOffset = 3;  // elements that share an offset
constexpr double kFewCoincide = 0.5;        // share of the known elements
constexpr std::int64_t kFewestKnown = 10;

using Place = std::tuple<std::int64_t, std::int64_t>;  // start, end

/// One known element and the enhancers tested with the same gene on its chromosome.
struct Comparable {
  std::string chrom;
  Place known;
  std::set<Place> tested;
};

std::vector<Comparable> comparable_elements(const AuditInput& input) {
  const Dataset& data = input.data;
  std::map<std::pair<std::string, std::string>, std::set<Place>> tested;  // by gene, chromosome
  for (const Pair& pair : data.pairs) {
    const Enhancer& e = enhancer_of(data, pair);
    tested[{gene_of(data, pair), e.chrom}].emplace(e.start, e.end);
  }
  std::set<std::tuple<std::string, std::string, Place>> seen;
  std::vector<Comparable> out;
  for (const KnownPair& known : input.known->pairs) {
    const Place place{known.element.start, known.element.end};
    const auto found = tested.find({known.gene, known.element.chrom});
    if (found == tested.end()) continue;
    if (!seen.emplace(known.gene, known.element.chrom, place).second) continue;
    out.push_back({known.element.chrom, place, found->second});
  }
  return out;
}

bool overlap(const Place& a, const Place& b) {
  return std::get<0>(a) < std::get<1>(b) && std::get<0>(b) < std::get<1>(a);
}

std::int64_t centre(const Place& place) { return (std::get<0>(place) + std::get<1>(place)) / 2; }

/// An offset at which several enhancers of a chromosome lie from known elements of their genes.
struct Offset {
  std::string chrom;
  std::int64_t bp = 0;  // known minus tested
  std::set<Place> known;
};

/// Offsets that recur on a chromosome, most frequent first. Distances between elements that have
/// nothing to do with each other agree within a few bases only by chance.
std::vector<Offset> recurring_offsets(const std::vector<Comparable>& elements) {
  std::map<std::string, std::set<std::tuple<std::int64_t, Place, Place>>> differences;
  for (const Comparable& element : elements) {
    for (const Place& tested : element.tested) {
      differences[element.chrom].emplace(centre(element.known) - centre(tested), element.known,
                                         tested);
    }
  }
  std::vector<Offset> out;
  for (const auto& [chrom, all] : differences) {
    auto begin = all.begin();
    while (begin != all.end()) {
      auto end = begin;
      Offset offset{chrom, std::get<0>(*begin), {}};
      std::set<Place> tested;
      std::int64_t last = offset.bp;
      for (; end != all.end() && std::get<0>(*end) - last <= kToleranceBp; ++end) {
        last = std::get<0>(*end);
        offset.known.insert(std::get<1>(*end));
        tested.insert(std::get<2>(*end));
      }
      if (std::min(offset.known.size(), tested.size()) >= kFewestAtOffset) {
        out.push_back(std::move(offset));
      }
      begin = end;
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Offset& a, const Offset& b) {
    return a.known.size() > b.known.size();
  });
  return out;
}

/// apart: known elements that overlap no enhancer tested with their gene.
void report_offsets(const std::vector<Comparable>& apart, const std::string& file, Findings* out) {
  const std::vector<Offset> offsets = recurring_offsets(apart);
  std::set<std::pair<std::string, Place>> places;
  std::set<std::pair<std::string, Place>> explained;
  for (const Comparable& element : apart) places.emplace(element.chrom, element.known);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Offset& offset : offsets) {
    for (const Place& known : offset.known) explained.emplace(offset.chrom, known);
    list.push_back(
        {{"chrom", offset.chrom}, {"bp", offset.bp}, {"known_elements", offset.known.size()}});
  }
  if (offsets.empty()) return;
  const Offset& most = offsets.front();
  const std::string bp = (most.bp < 0 ? "-" : "+") + format_with_commas(std::abs(most.bp));
  out->push_back(
      {"known_elements_at_offset",
       Severity::kWarning,
       part_of(std::ssize(explained), std::ssize(places)) + " elements known from " + file +
           " that overlap no such enhancer lie at a recurring distance from an enhancer tested "
           "with the same gene (" +
           std::to_string(most.known.size()) + " on " + most.chrom + " at " + bp +
           " bp), as the same elements do in another assembly: evidence, not proof, that "
           "coordinates and sequence are of different ones.",
       {{"known_elements", explained.size()}, {"of", places.size()}, {"offsets", list}}});
}

}  // namespace

void find_in_known_pairs(const AuditInput& input, Findings* out) {
  if (input.known == nullptr) return;
  const std::vector<Comparable> elements = comparable_elements(input);
  std::vector<Comparable> apart;
  std::copy_if(
      elements.begin(), elements.end(), std::back_inserter(apart), [](const Comparable& element) {
        return std::none_of(element.tested.begin(), element.tested.end(),
                            [&](const Place& tested) { return overlap(tested, element.known); });
      });
  const auto comparable = static_cast<std::int64_t>(elements.size());
  const std::int64_t coincide = comparable - static_cast<std::int64_t>(apart.size());
  const bool few = comparable >= kFewestKnown && share_of(coincide, comparable) < kFewCoincide;
  const std::string& file = input.known->file;
  const std::string sentence =
      comparable == 0
          ? "No gene of " + file +
                " is tested here on the same chromosome, so coordinates could not be compared."
          : "In " + part_of(coincide, comparable) + " pairs known from " + file +
                " the element overlaps an enhancer tested here with the same gene" +
                (few ? ", so the coordinates may be of another assembly than those of " + file +
                           ", or the enhancers other ones."
                     : ", as they should if both are in one assembly.");
  out->push_back({"known_elements",
                  few || comparable == 0 ? Severity::kWarning : Severity::kNote,
                  sentence,
                  {{"known_pairs", input.known->pairs.size()},
                   {"comparable", comparable},
                   {"coincide", coincide}}});
  report_offsets(apart, file, out);
}

}  // namespace cdt
