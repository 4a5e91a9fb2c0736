#include "apps/synth/synth.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/provenance.h"
#include "apps/common/tables.h"
#include "apps/programs.h"
#include "apps/synth/gene_places.h"
#include "apps/synth/mechanism.h"
#include "engine/cpu/parallel.h"
#include "io/dataset/dataset_writer.h"
#include "io/format/json.h"
#include "io/format/text.h"
#include "model/stats/profile.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{32} << 20U;  // DNA windows in memory
constexpr std::int64_t kChromosomes = 22;
constexpr std::int64_t kFirstStart = 2'000'000;   // leaves room for a window before it
constexpr std::int64_t kUsedLength = 40'000'000;  // fits into the shortest chromosome
constexpr std::int64_t kEnhancerLength = 500;

std::string padded(const char* prefix, std::int64_t number) {
  return text("%s%05lld", prefix, static_cast<long long>(number));
}

/// Places enhancers evenly over the autosomes, so that tracks of their windows load in a genome
/// browser.
std::vector<Enhancer> place_enhancers(std::int64_t count) {
  const std::int64_t per_chromosome = (count + kChromosomes - 1) / kChromosomes;
  std::vector<Enhancer> out;
  for (std::int64_t e = 0; e < count; ++e) {
    Enhancer enhancer;
    enhancer.chrom = "chr" + std::to_string(e / per_chromosome + 1);
    enhancer.start = kFirstStart + e % per_chromosome * (kUsedLength / per_chromosome);
    enhancer.end = enhancer.start + kEnhancerLength;
    enhancer.name = padded("ENH", e + 1);
    out.push_back(enhancer);
  }
  return out;
}

std::vector<std::string> name_genes(std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t g = 0; g < count; ++g) out.push_back(padded("GENE", g + 1));
  return out;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000.0 && unit + 1 < kUnits.size(); ++unit) value /= 1000.0;
  return text("%.1f %s", value, kUnits.at(unit));
}

void announce(const SynthPlan& plan, const std::filesystem::path& directory) {
  const DatasetWriter::Sizes& s = plan.sizes;
  const std::string line = "data set " + path_text(directory) + ": " + size_text(s.blob_bytes()) +
                           " on disk (" + std::to_string(s.enhancers) + " enhancers x " +
                           std::to_string(s.bins) + " bins x " + std::to_string(s.dna_dim) +
                           " features, " + std::to_string(s.genes) + " genes)\n";
  std::fputs(line.c_str(), stderr);
}

void write_windows(const SynthPlan& plan, const Mechanism& mechanism, const CommonOptions& common,
                   DatasetWriter& writer) {
  const int threads = common.threads > 0 ? static_cast<int>(common.threads) : default_threads();
  const std::int64_t window = plan.sizes.bins * plan.sizes.dna_dim;
  const std::int64_t chunk = std::clamp<std::int64_t>(
      kChunkBytes / (window * static_cast<std::int64_t>(sizeof(float))),
      std::min<std::int64_t>(threads, plan.sizes.enhancers), plan.sizes.enhancers);
  std::vector<float> windows(static_cast<std::size_t>(chunk * window));
  Progress progress("windows", plan.sizes.enhancers, common.quiet);
  for (std::int64_t first = 0; first < plan.sizes.enhancers; first += chunk) {
    const std::int64_t count = std::min(chunk, plan.sizes.enhancers - first);
    parallel_for(threads, count, [&](std::int64_t i, int /*thread*/) {
      mechanism.fill_dna(first + i, windows.data() + i * window);
    });
    writer.append_dna(windows.data(), count * window);
    stop_if_interrupted();
    progress.update(first + count);
  }
  progress.finish();
}

std::string provenance(const SynthPlan& plan) {
  nlohmann::ordered_json json;
  json["program"] = "cdt-synth " + version();
  json["preset"] = plan.preset;
  if (plan.mechanism != kProduct) json["mechanism"] = plan.mechanism;
  json["seed"] = plan.seed;
  json["noise"] = plan.noise;
  json["pairs_per_enhancer"] = plan.pairs_per_enhancer;
  if (plan.gene_starts) json["gene_starts"] = true;
  return json_text(json);
}

void print_summary(const Mechanism& mechanism) {
  std::cout << "split\tpairs\tnoise_ceiling_pearson\n";
  for (const Split split : kSplits) {
    const auto count =
        std::count_if(mechanism.pairs().begin(), mechanism.pairs().end(),
                      [&](const SynthPair& made) { return made.pair.split == split; });
    std::cout << split_name(split) << '\t' << count << '\t'
              << format_number(noise_ceiling(mechanism.pairs(), split)) << '\n';
  }
}

std::string bin_list(std::int64_t centre, std::int64_t reach) {
  std::string out;
  for (std::int64_t bin = centre - reach; bin <= centre + reach; ++bin) {
    out += (out.empty() ? "[" : ",") + std::to_string(bin);
  }
  return out + "]";
}

/// Key of the bins of the first or second site in truth.json.
std::string bins_key(const SynthPlan& plan, bool second) {
  if (plan.has_classes()) return second ? "bins_for_b" : "bins_for_a";
  return second ? "decoy_bins" : "causal_bins";
}

std::string gene_classes(const Mechanism& mechanism, const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t g = 0; g < names.size(); ++g) {
    out += (g == 0 ? "\n{\"gene\": \"" : ",\n{\"gene\": \"") + names[g] + "\", \"class\": \"" +
           (mechanism.genes()[g].of_second ? "b" : "a") + "\"}";
  }
  return "[" + out + "\n]";
}

/// Ceilings of the splits that have one; a split of a single pair has none.
std::string ceilings(const std::vector<SynthPair>& pairs) {
  std::string out;
  for (const Split split : kSplits) {
    const double r = noise_ceiling(pairs, split);
    if (!(r > 0.0)) continue;
    out += out.empty() ? "{\"" : ", \"";
    out += split_name(split);
    out += "\": {\"pearson\": " + json_number(r) + "}";
  }
  return out.empty() ? "{}" : out + "}";
}

}  // namespace

void synthesise(const SynthOptions& options) {
  const SynthPlan& plan = options.plan;
  const OutputFolder out(kDataSetOutput, options.common, Inputs(options.common));
  if (!options.common.quiet) announce(plan, options.common.out);
  DatasetWriter writer(out.path(), plan.sizes, options.common.overwrite);
  const Mechanism mechanism(plan);
  const std::vector<Enhancer> enhancers = place_enhancers(plan.sizes.enhancers);
  const std::vector<std::string> genes = name_genes(plan.sizes.genes);
  write_windows(plan, mechanism, options.common, writer);
  writer.write_rna(mechanism.rna(), genes);
  writer.write_protein(mechanism.protein(), genes);
  writer.write_enhancers(enhancers);
  std::vector<Pair> pairs;
  for (const SynthPair& made : mechanism.pairs()) pairs.push_back(made.pair);
  writer.write_pairs(pairs);
  if (plan.gene_starts) writer.write_gene_starts(place_genes(plan, enhancers, pairs));
  writer.write_extra("truth.json", truth_text(plan, mechanism, enhancers, genes));
  writer.write_extra("sites.bed", sites_bed(plan, mechanism, enhancers));
  writer.write_extra(kProvenanceFile, provenance_text(options.common));
  writer.finish(provenance(plan));
  print_summary(mechanism);
}

int synth_main(int argc, char** argv) {
  SynthOptions options;
  if (!parse_synth_options(argc, argv, &options)) return kExitDone;
  catch_interrupts("cdt-synth");
  synthesise(options);
  return kExitDone;
}

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
  std::string out = "{\n\"format\": \"cdt-truth\",\n\"version\": ";
  out += plan.has_classes() ? "2" : "1";
  out += ",\n\"seed\": " + std::to_string(plan.seed) + ",\n\"preset\": \"" + plan.preset + "\"";
  if (plan.mechanism != kProduct) out += ",\n\"mechanism\": \"" + plan.mechanism + "\"";
  out += ",\n\"noise_ceiling\": " + ceilings(mechanism.pairs());
  if (plan.has_classes()) out += ",\n\"genes\": " + gene_classes(mechanism, genes);
  out += ",\n\"sites\": [";
  const char* separator = "\n";
  for (std::size_t e = 0; e < enhancers.size(); ++e) {
    const PlantedSites& sites = mechanism.sites()[e];
    out += separator;
    out += "{\"enhancer\": \"" + enhancers[e].name + "\", \"" + bins_key(plan, false) +
           "\": " + bin_list(sites.first.centre, plan.reach()) + ", \"" + bins_key(plan, true) +
           "\": " + bin_list(sites.second.centre, plan.reach()) + "}";
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
    add(plan.has_classes() ? "acts_on_a" : "causal", sites.first.centre);
    add(plan.has_classes() ? "acts_on_b" : "decoy", sites.second.centre);
  }
  return out;
}

}  // namespace cdt
