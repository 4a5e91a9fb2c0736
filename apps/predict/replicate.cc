#include "apps/predict/replicate.h"

#include <cmath>
#include <limits>
#include <set>

#include "engine/error.h"
#include "io/text.h"
#include "io/tsv.h"
#include "model/metrics.h"

namespace cdt {

Screen read_screen(const std::filesystem::path& file, const Dataset& data) {
  TsvFile rows(file, {"enhancer", "gene", "beta"});
  Screen out;
  while (rows.next()) {
    float beta = 0;
    if (!parse_float(rows.field(2), &beta) || !std::isfinite(beta)) {
      rows.fail(2, "not a finite number: " + std::string(rows.field(2)));
    }
    const std::string enhancer(rows.field(0));
    const std::string gene(rows.field(1));
    const std::pair<std::int32_t, std::int32_t> pair{data.find_enhancer(enhancer),
                                                     data.find_gene(gene)};
    if (pair.first < 0 || pair.second < 0) continue;
    if (!out.emplace(pair, beta).second) {
      rows.fail(0, std::string("twice: ").append(enhancer).append(" with ").append(gene));
    }
  }
  if (out.empty()) {
    throw InputError(file.string(), "rows",
                     "no pair of enhancer and gene that " + data.directory.string() + " knows");
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
                                         const BootstrapOptions& bootstrap) {
  constexpr std::int64_t kFewest = 3;
  std::vector<float> first;
  std::vector<float> second;
  std::vector<float> predicted;
  std::vector<std::int32_t> enhancers;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto found = screen.find({pairs[i].enhancer, pairs[i].gene});
    if (found == screen.end()) continue;
    first.push_back(pairs[i].beta);
    second.push_back(found->second);
    predicted.push_back(predictions[i]);
    enhancers.push_back(pairs[i].enhancer);
  }
  Replicate out;
  out.pairs = static_cast<std::int64_t>(first.size());
  if (out.pairs < kFewest) return std::nullopt;
  out.enhancers =
      static_cast<std::int64_t>(std::set<std::int32_t>(enhancers.begin(), enhancers.end()).size());
  out.pearson = compute_metrics(second, first).pearson;
  out.interval = bootstrap_pearson(second, first, enhancers, bootstrap);
  out.model_pearson = compute_metrics(predicted, first).pearson;
  return out;
}

}  // namespace cdt
