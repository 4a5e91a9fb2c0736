#include "apps/synth/truth_text.h"

#include <algorithm>

#include "io/format/text.h"
#include "model/stats/profile.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

std::string bin_list(std::int64_t centre, std::int64_t reach) {
  std::string out;
  for (std::int64_t bin = centre - reach; bin <= centre + reach; ++bin) {
    out += (out.empty() ? "[" : ",") + std::to_string(bin);
  }
  return out + "]";
}

/// The splits whose ceiling is defined: not one of a single pair, say.
std::string ceilings(const std::vector<SynthPair>& pairs) {
  std::string out;
  for (const Split split : {Split::kTrain, Split::kVal, Split::kTest}) {
    const double r = noise_ceiling(pairs, split);
    if (!(r > 0.0)) continue;
    out += out.empty() ? "{\"" : ", \"";
    out += split_name(split);
    out += "\": {\"pearson\": " + json_number(r) + "}";
  }
  return out.empty() ? "{}" : out + "}";
}

}  // namespace

double noise_ceiling(const std::vector<SynthPair>& pairs, Split split) {
  std::vector<float> noiseless;
  std::vector<float> noisy;
  for (const SynthPair& made : pairs) {
    if (made.pair.split != split) continue;
    noiseless.push_back(static_cast<float>(made.noiseless_beta));
    noisy.push_back(made.pair.beta);
  }
  return compute_metrics(noiseless, noisy).pearson;
}

std::string truth_text(const SynthPlan& plan, const Mechanism& mechanism,
                       const std::vector<Enhancer>& enhancers,
                       const std::vector<std::string>& genes) {
  std::string out =
      "{\n\"format\": \"cdt-truth\",\n\"version\": 1,\n\"seed\": " + std::to_string(plan.seed) +
      ",\n\"preset\": \"" + plan.preset + "\"";
  if (plan.mechanism != kSpecific) out += ",\n\"mechanism\": \"" + plan.mechanism + "\"";
  out += ",\n\"noise_ceiling\": " + ceilings(mechanism.pairs());
  out += ",\n\"sites\": [";
  const char* separator = "\n";
  for (std::size_t e = 0; e < enhancers.size(); ++e) {
    const PlantedSites& sites = mechanism.sites()[e];
    out += separator;
    out += "{\"enhancer\": \"" + enhancers[e].name +
           "\", \"causal_bins\": " + bin_list(sites.causal, plan.reach()) +
           ", \"decoy_bins\": " + bin_list(sites.decoy, plan.reach()) + "}";
    separator = ",\n";
  }
  out += "\n],\n\"pairs\": [";
  separator = "\n";
  for (const SynthPair& made : mechanism.pairs()) {
    out += separator;
    out += "{\"enhancer\": \"" + enhancers[static_cast<std::size_t>(made.pair.enhancer)].name +
           "\", \"gene\": \"" + genes[static_cast<std::size_t>(made.pair.gene)] +
           "\", \"noiseless_beta\": " + json_number(made.noiseless_beta) +
           ", \"has_effect\": " + json_bool(made.has_effect) + "}";
    separator = ",\n";
  }
  return out + "\n]\n}\n";
}

std::string sites_bed(const SynthPlan& plan, const Mechanism& mechanism,
                      const std::vector<Enhancer>& enhancers) {
  std::string out;
  for (std::size_t e = 0; e < enhancers.size(); ++e) {
    const PlantedSites& sites = mechanism.sites()[e];
    const auto edge = [&](std::int64_t bin) {
      const std::int64_t offset = offset_bp(bin, plan.sizes.bins, plan.sizes.bin_bp);
      return std::max<std::int64_t>(enhancers[e].centre() + offset, 0);
    };
    const auto add = [&](const char* kind, std::int64_t centre) {
      const std::int64_t start = edge(centre - plan.reach());
      const std::int64_t end = edge(centre + plan.reach() + 1);
      if (start == end) return;
      out += enhancers[e].chrom + "\t" + std::to_string(start) + "\t" + std::to_string(end) + "\t" +
             enhancers[e].name + "_" + kind + "\t0\t" + kind + "\n";
    };
    add("causal", sites.causal);
    add("decoy", sites.decoy);
  }
  return out;
}

}  // namespace cdt
