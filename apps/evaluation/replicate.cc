#include "apps/evaluation/replicate.h"

#include <set>
#include <string_view>

#include "engine/error.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/stats/statistics.h"

namespace cdt {

std::string ScreenFile::skipped(const std::filesystem::path& file) const {
  const std::int64_t count =
      of_other_enhancers + of_other_genes + of_other_samples + of_other_pairs;
  if (count == 0) return "";
  return printable(file.string()) + ": " + std::to_string(count) + " of " + std::to_string(rows) +
         " rows are not of this split and are skipped: " + std::to_string(of_other_enhancers) +
         " of other enhancers, " + std::to_string(of_other_genes) + " of other genes, " +
         (of_other_samples > 0 ? std::to_string(of_other_samples) + " of other samples, " : "") +
         std::to_string(of_other_pairs) + " of other pairs";
}

ScreenFile read_replicate(const std::filesystem::path& file, const Dataset& data,
                          const std::vector<Pair>& pairs) {
  std::set<Screen::key_type> wanted;
  for (const Pair& pair : pairs) wanted.emplace(pair.enhancer, pair.gene, pair.sample);
  std::vector<std::string> columns{"enhancer", "gene", "beta"};
  if (!data.samples.empty()) columns.emplace_back("sample");
  const NameIndex samples = index_names(data.samples);
  TsvFile rows(lines_of_text_or_gzip(file), columns);
  ScreenFile out;
  while (rows.next()) {
    ++out.rows;
    const std::string enhancer(rows.field(0));
    const std::string gene(rows.field(1));
    std::int32_t sample = 0;
    if (!samples.empty()) {
      const auto known = samples.find(std::string(rows.field(3)));
      sample = known == samples.end() ? -1 : known->second;
    }
    const Screen::key_type pair{data.find_enhancer(enhancer), data.find_gene(gene), sample};
    if (wanted.count(pair) == 0) {
      ++(std::get<0>(pair) < 0   ? out.of_other_enhancers
         : std::get<1>(pair) < 0 ? out.of_other_genes
         : sample < 0            ? out.of_other_samples
                                 : out.of_other_pairs);
      continue;
    }
    float beta = 0;
    const std::string_view fault = parse_finite(rows.field(2), &beta);
    if (!fault.empty()) rows.fail(2, expected_got(fault, kFiniteNumber, rows.field(2)));
    if (!out.effects.emplace(pair, beta).second) {
      std::string twice = "twice: " + enhancer;
      twice.append(" with ").append(gene);
      if (!samples.empty()) twice.append(" in sample ").append(rows.field(3));
      rows.fail(0, twice);
    }
  }
  if (out.effects.empty()) {
    throw InputError(file.string(), "rows",
                     "none of " + std::to_string(out.rows) + " is of a pair of this split");
  }
  return out;
}

double Replicate::share() const { return pearson.value > 0 ? model_pearson / pearson.value : kNaN; }

double Replicate::corrected() const { return model_pearson / noise_free_limit(pearson.value); }

MeasuredTwice measured_twice(const std::vector<Pair>& pairs, const Screen& screen) {
  MeasuredTwice out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto found = screen.find({pairs[i].enhancer, pairs[i].gene, pairs[i].sample});
    if (found == screen.end()) continue;
    out.places.push_back(i);
    out.first.push_back(pairs[i].beta);
    out.second.push_back(found->second);
  }
  return out;
}

std::optional<Replicate> compare_screens(const std::vector<Pair>& pairs,
                                         std::span<const float> predictions, const Screen& screen,
                                         const std::vector<std::int32_t>& locus_of,
                                         const BootstrapOptions& bootstrap) {
  const MeasuredTwice shared = measured_twice(pairs, screen);
  if (shared.places.size() < kFewestMeasuredTwice) return std::nullopt;
  std::vector<float> predicted;
  std::vector<std::int32_t> loci;
  std::set<std::int32_t> enhancers;
  for (const std::size_t i : shared.places) {
    predicted.push_back(predictions[i]);
    loci.push_back(locus_of[static_cast<std::size_t>(pairs[i].enhancer)]);
    enhancers.insert(pairs[i].enhancer);
  }
  Replicate out;
  out.pairs = static_cast<std::int64_t>(shared.places.size());
  out.enhancers = static_cast<std::int64_t>(enhancers.size());
  out.pearson = measured_pearson(shared.second, shared.first, loci, bootstrap);
  out.model_pearson = compute_metrics(predicted, shared.first).pearson;
  return out;
}

}  // namespace cdt
