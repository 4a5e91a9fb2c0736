#include "apps/evaluation/replicate.h"

#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include "engine/error.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/stats/statistics.h"

namespace cdt {

std::string ScreenFile::skipped(const std::filesystem::path& file) const {
  const std::int64_t count = of_other_enhancers + of_other_genes + of_other_pairs;
  if (count == 0) return "";
  return printable(file.string()) + ": " + std::to_string(count) + " of " + std::to_string(rows) +
         " rows are not of this split and are skipped: " + std::to_string(of_other_enhancers) +
         " of other enhancers, " + std::to_string(of_other_genes) + " of other genes, " +
         std::to_string(of_other_pairs) + " of other pairs";
}

ScreenFile read_replicate(const std::filesystem::path& file, const Dataset& data,
                          const std::vector<Pair>& pairs) {
  std::set<Screen::key_type> wanted;
  for (const Pair& pair : pairs) wanted.emplace(pair.enhancer, pair.gene);
  TsvFile rows(file, {"enhancer", "gene", "beta"});
  ScreenFile out;
  while (rows.next()) {
    ++out.rows;
    const std::string enhancer(rows.field(0));
    const std::string gene(rows.field(1));
    const Screen::key_type pair{data.find_enhancer(enhancer), data.find_gene(gene)};
    if (wanted.count(pair) == 0) {
      ++(pair.first < 0    ? out.of_other_enhancers
         : pair.second < 0 ? out.of_other_genes
                           : out.of_other_pairs);
      continue;
    }
    float beta = 0;
    const std::string_view fault = parse_finite(rows.field(2), &beta);
    if (!fault.empty()) rows.fail(2, expected_got(fault, kFiniteNumber, rows.field(2)));
    if (!out.effects.emplace(pair, beta).second) {
      rows.fail(0, std::string("twice: ").append(enhancer).append(" with ").append(gene));
    }
  }
  if (out.effects.empty()) {
    throw InputError(file.string(), "rows",
                     "none of " + std::to_string(out.rows) + " is of a pair of this split");
  }
  return out;
}

double Replicate::share() const {
  return pearson > 0 ? model_pearson / pearson : std::numeric_limits<double>::quiet_NaN();
}

double Replicate::corrected() const {
  return pearson > 0 ? model_pearson / std::sqrt(pearson)
                     : std::numeric_limits<double>::quiet_NaN();
}

std::optional<Replicate> compare_screens(const std::vector<Pair>& pairs,
                                         std::span<const float> predictions, const Screen& screen,
                                         const std::vector<std::int32_t>& locus_of,
                                         const BootstrapOptions& bootstrap) {
  std::vector<float> first;
  std::vector<float> second;
  std::vector<float> predicted;
  std::vector<std::int32_t> enhancers;
  std::vector<std::int32_t> loci;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto found = screen.find({pairs[i].enhancer, pairs[i].gene});
    if (found == screen.end()) continue;
    first.push_back(pairs[i].beta);
    second.push_back(found->second);
    predicted.push_back(predictions[i]);
    enhancers.push_back(pairs[i].enhancer);
    loci.push_back(locus_of[static_cast<std::size_t>(pairs[i].enhancer)]);
  }
  Replicate out;
  out.pairs = static_cast<std::int64_t>(first.size());
  if (first.size() < kFewestPairs) return std::nullopt;
  out.enhancers =
      static_cast<std::int64_t>(std::set<std::int32_t>(enhancers.begin(), enhancers.end()).size());
  out.pearson = compute_metrics(second, first).pearson;
  out.interval = bootstrap_pearson(second, first, loci, bootstrap);
  out.model_pearson = compute_metrics(predicted, first).pearson;
  return out;
}

}  // namespace cdt
