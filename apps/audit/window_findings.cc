#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "apps/audit/findings.h"

namespace cdt {
namespace {

/// Numbers of the marked enhancers and of the pairs that use them; null if there are none.
nlohmann::ordered_json usage(const Dataset& data, const std::vector<bool>& marked) {
  const auto enhancers = std::count(marked.begin(), marked.end(), true);
  if (enhancers == 0) return {};
  nlohmann::ordered_json by_split;
  for (const Split split : kSplits) {
    by_split[split_name(split)] = pairs_with(data.pairs_of(split), &Pair::enhancer, marked);
  }
  return {{"enhancers", enhancers},
          {"pairs", pairs_with(data.pairs, &Pair::enhancer, marked)},
          {"pairs_by_split", by_split}};
}

std::string whose(const nlohmann::ordered_json& numbers) {
  return counted_text(numbers["enhancers"].get<std::int64_t>(), "enhancer") + ", used by " +
         counted_text(numbers["pairs"].get<std::int64_t>(), "pair") + ",";
}

void find_without_information(const AuditInput& input, Findings* out) {
  std::vector<bool> is_zero;
  std::vector<bool> is_constant;
  for (std::size_t i = 0; i < input.dna->rows().size(); ++i) {
    is_zero.push_back(input.dna->is_zero(i));
    is_constant.push_back(input.dna->rows()[i].constant && !input.dna->is_zero(i));
  }
  const nlohmann::ordered_json zero = usage(input.data, is_zero);
  if (!zero.is_null()) {
    out->push_back({"zero_windows", Severity::kWarning,
                    "The DNA windows of " + whose(zero) +
                        " are all zeros: attention over their bins is uniform, its peak is bin 0 "
                        "by default, and all of them get the same predictions.",
                    zero});
  }
  const nlohmann::ordered_json constant = usage(input.data, is_constant);
  if (!constant.is_null()) {
    out->push_back({"constant_windows", Severity::kWarning,
                    "In the DNA windows of " + whose(constant) +
                        " all bins are equal: attention over them is uniform, its peak is bin 0 by "
                        "default, and nothing can be attributed to a position.",
                    constant});
  }
}

/// Enhancers at different places whose windows have the same values, other than all zeros.
void find_identical(const AuditInput& input, Findings* out) {
  const Dataset& data = input.data;
  using Place = std::tuple<std::string, std::int64_t>;
  std::map<std::string, std::set<Place>> places;  // centres, by digest of the values
  for (std::size_t i = 0; i < data.enhancers.size(); ++i) {
    const DnaRow& row = input.dna->rows()[i];
    const Enhancer& e = data.enhancers[i];
    if (!input.dna->is_zero(i)) places[row.digest].emplace(e.chrom, e.centre());
  }
  std::vector<bool> identical(data.enhancers.size(), false);
  std::int64_t groups = 0;
  for (const auto& [digest, centres] : places) groups += centres.size() > 1 ? 1 : 0;
  for (std::size_t i = 0; i < data.enhancers.size(); ++i) {
    const auto found = places.find(input.dna->rows()[i].digest);
    identical[i] = found != places.end() && found->second.size() > 1;
  }
  nlohmann::ordered_json numbers = usage(data, identical);
  if (numbers.is_null()) return;
  numbers["groups"] = groups;
  out->push_back({"identical_windows", Severity::kWarning,
                  "The DNA windows of " + whose(numbers) + " form " +
                      counted_text(groups, "group") +
                      " of identical values at different coordinates, so most of them are not the "
                      "sequence of their place, and enhancers of a group cannot be distinguished.",
                  numbers});
}

}  // namespace

void find_in_windows(const AuditInput& input, Findings* out) {
  if (input.dna == nullptr) return;
  find_without_information(input, out);
  find_identical(input, out);
}

}  // namespace cdt
