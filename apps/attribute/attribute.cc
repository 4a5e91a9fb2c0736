#include "apps/attribute/attribute.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "apps/attribute/gradient_reports.h"
#include "apps/attribute/gradient_scorers.h"
#include "apps/attribute/maps.h"
#include "apps/attribute/methods.h"
#include "apps/attribute/numbers.h"
#include "apps/attribute/options.h"
#include "apps/attribute/outputs.h"
#include "apps/attribute/pair_names.h"
#include "apps/attribute/region_report.h"
#include "apps/attribute/regions.h"
#include "apps/attribute/rollout_scorers.h"
#include "apps/attribute/sections.h"
#include "apps/common/format.h"
#include "apps/common/inference.h"
#include "apps/common/interrupt.h"
#include "apps/common/output_folder.h"
#include "apps/common/profile_report.h"
#include "apps/common/progress.h"
#include "engine/error.h"
#include "engine/in_float32.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "model/dna_feed.h"

namespace cdt {
namespace {

void expect_finite(const PairScores& scores, const Dataset& data, const Pair& pair) {
  const bool finite = std::all_of(scores.windows.begin(), scores.windows.end(), [](const auto& w) {
    return std::all_of(w.begin(), w.end(), [](float x) { return std::isfinite(x); });
  });
  if (std::isfinite(scores.prediction) && finite) return;
  throw Error("the attribution of enhancer " +
              data.enhancers[static_cast<std::size_t>(pair.enhancer)].name + ", gene " +
              data.genes[static_cast<std::size_t>(pair.gene)] + " is not finite");
}

/// The ends of the data set's chromosomes, as far as they are known.
nlohmann::ordered_json sizes_json(const Dataset& data, const ChromosomeSizes& sizes) {
  std::map<std::string, std::int64_t> known;
  for (const Enhancer& e : data.enhancers) known[e.chrom] = sizes.size(e.chrom);
  std::erase_if(known, [](const auto& chrom) { return chrom.second == 0; });
  return nlohmann::ordered_json(known);
}

/// First index past the pairs that share the enhancer of pairs[begin].
std::size_t group_end(const std::vector<Pair>& pairs, std::size_t begin) {
  std::size_t end = begin;
  while (end < pairs.size() && pairs[end].enhancer == pairs[begin].enhancer) ++end;
  return end;
}

/// The scorers of the methods that have one, null for the others.
std::vector<std::unique_ptr<Scorer>> make_scorers(const Methods& methods,
                                                  const ScorerContext& context) {
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (const Method* method : methods) {
    scorers.push_back(method->make != nullptr ? method->make(context) : nullptr);
  }
  return scorers;
}

/// All methods' scores of each gene of one enhancer.
std::vector<PairScores> score_enhancer(Attributor& attributor, const Methods& methods,
                                       const std::vector<std::unique_ptr<Scorer>>& scorers,
                                       const EnhancerGenes& wanted) {
  std::vector<PairScores> out(wanted.genes.size());
  attributor.attribute(wanted.dna, wanted.genes, [&](std::size_t gene, const PairWindows& windows) {
    stop_if_interrupted();
    out[gene].prediction = windows.prediction;
    for (const Method* method : methods) {
      out[gene].windows.push_back(method->window != nullptr ? windows.*method->window
                                                            : std::vector<float>{});
    }
  });
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (scorers[i] == nullptr) continue;
    std::vector<std::vector<float>> windows = scorers[i]->score(wanted);
    for (std::size_t gene = 0; gene < out.size(); ++gene) {
      out[gene].windows[i] = std::move(windows[gene]);
    }
    stop_if_interrupted();
  }
  return out;
}

bool all_zero(Inference& inference, const Tensor& dna) {
  const Tensor rows = dna.reshaped({dna.rows(), dna.cols()});
  const InFloat32 values(*inference.backend, rows, inference.scratch);
  const Scratch norms(inference.scratch, {rows.rows()});
  inference.backend->row_dot_sqrt(*values, *values, *norms);
  const std::vector<float> host = to_host(*inference.backend, *norms);
  return std::all_of(host.begin(), host.end(), [](float norm) { return norm == 0.0F; });
}

/// What attribute_pairs() fills besides the numbers.
struct Receivers {
  AttributionOutputs& outputs;
  MapOutputs& maps;
  Sections& sections;
  GradientReports& gradients;
  RegionReport& regions;
  Progress& progress;
  nlohmann::ordered_json descriptions;  // by method, what its scorer has to say
  std::string scorer_tables = {};       // the same for a reader
};

std::vector<PairNumbers> attribute_pairs(Inference& inference, const std::vector<Pair>& pairs,
                                         const Methods& methods, const AttributeOptions& options,
                                         Receivers& receivers) {
  DnaFeed feed(inference.data, *inference.backend, inference.lasting, 1);
  feed.start({pairs.front().enhancer});
  Attributor attributor(*inference.model, inference.tape, inference.rna, inference.protein,
                        inference.lasting);
  attributor.want_gradient_x_input(std::any_of(methods.begin(), methods.end(), [](const Method* m) {
    return m->window == &PairWindows::gradient_x_input;
  }));
  Baseline baseline(inference, attributor.pass(), options.gradient.baseline);
  const auto scorers =
      make_scorers(methods, {inference, attributor, options.choice.seed, options.gradient, baseline,
                             receivers.gradients.integration()});
  receivers.maps.add_trunks(inference);
  std::vector<PairNumbers> numbers;
  for (std::size_t begin = 0; begin < pairs.size();) {
    const std::size_t end = group_end(pairs, begin);
    std::vector<std::int32_t> genes;
    for (std::size_t i = begin; i < end; ++i) genes.push_back(pairs[i].gene);
    const Tensor dna = feed.take();
    if (end < pairs.size()) feed.start({pairs[end].enhancer});
    const EnhancerGenes wanted{pairs[begin].enhancer, dna, genes, all_zero(inference, dna)};
    const std::vector<PairScores> scores = score_enhancer(attributor, methods, scorers, wanted);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const Pair& pair = pairs[begin + i];
      expect_finite(scores[i], inference.data, pair);
      numbers.push_back(pair_numbers(pair, scores[i], methods, wanted.zero_dna));
      receivers.outputs.add(numbers.back(), scores[i]);
      receivers.sections.add(numbers.back(), scores[i]);
    }
    receivers.gradients.add(inference, attributor, baseline, wanted, scores);
    receivers.regions.add(inference, attributor, baseline, wanted);
    receivers.maps.add(inference, attributor.trunks(), wanted);
    receivers.progress.update(static_cast<std::int64_t>(numbers.size()));
    begin = end;
  }
  receivers.progress.finish();
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (scorers[i] == nullptr) continue;
    nlohmann::ordered_json description = nlohmann::ordered_json::object();
    scorers[i]->describe(&description);
    receivers.descriptions[methods[i]->name] = description;
    receivers.scorer_tables += scorers[i]->table();
  }
  return numbers;
}

Inputs inputs_of(const AttributeOptions& options) {
  Inputs inputs(options.common);
  inputs.add_file("--pairs", options.choice.file);
  inputs.add_file("--chrom-sizes", options.chrom_sizes);
  for (const std::string& file : options.annotations) inputs.add_file("--annotations", file);
  return inputs;
}

/// Of the arrays that hold a row per pair, of the rows of the tables and of the tracks, at least.
std::uint64_t score_bytes(const AttributeOptions& options, const Methods& methods,
                          const Inference& inference, std::int64_t pairs) {
  constexpr std::uint64_t kRowBytes = 40;       // of pairs.tsv and peaks.tsv
  constexpr std::uint64_t kIntervalBytes = 20;  // of a bedGraph
  const auto bins = static_cast<std::uint64_t>(inference.data.bins);
  const auto genes = static_cast<std::uint64_t>(inference.config.genes);
  std::uint64_t windows = methods.size();
  if (options.temperature > 0.0) ++windows;
  if (options.gradient.paths) windows += 2 * PathSplit::kPaths;
  const std::uint64_t rows = 1 + methods.size() * std::min(bins, std::uint64_t{20});
  const std::uint64_t of_genes = options.gradient.gene_gradients ? 2 * genes : 0;
  const auto tracks = static_cast<std::uint64_t>(std::min(options.tracks, pairs));
  return static_cast<std::uint64_t>(pairs) *
             ((windows * bins + of_genes) * sizeof(float) + rows * kRowBytes) +
         tracks * methods.size() * bins * kIntervalBytes;
}

/// The files of --annotations; stderr says what was left out and what is doubtful.
std::vector<Annotations> read_annotations(const AttributeOptions& options, const Dataset& data,
                                          const ChromosomeSizes& sizes) {
  std::vector<Annotations> annotations = read_annotation_files(options.annotations, data);
  for (const Annotations& a : annotations) {
    const std::string left_out = left_out_text(a);
    if (!left_out.empty()) note(left_out);
    for (const std::string& doubt : assembly_doubts(a, data, sizes)) warn(doubt);
  }
  return annotations;
}

/// Brings all files to their names; summary: that of the methods, to which each part adds.
void finish(Receivers& r, nlohmann::ordered_json summary, const AttributeOptions& options) {
  summary["methods"].update(r.descriptions, /*merge_objects=*/true);
  r.outputs.begin_replacing();
  r.maps.finish(&summary);
  r.sections.finish(&summary);
  r.gradients.finish(&summary);
  r.regions.finish(&summary);
  r.outputs.finish(std::move(summary), options.command);
}

/// Nothing is known of a data set without training pairs.
void warn_of_untrained(const Summary& s) {
  const std::int64_t untrained = s.untrained.value_or(0);
  if (untrained == 0) return;
  warn(std::to_string(untrained) + " of " + number_of(s.pairs, "explained pair") +
       (untrained == 1 ? " is of a gene" : " are of genes") +
       " without training pairs: an output that was never trained explains nothing "
       "(gene_train_pairs in pairs.tsv)");
}

void print_tables(const Receivers& r, std::int64_t tracks, std::int64_t pairs) {
  std::cout << r.scorer_tables << r.sections.table() << r.gradients.table() << r.regions.table();
  if (tracks < pairs) {
    std::cout << "tracks: the first " << tracks << " of " << pairs
              << " pairs (--tracks N for more)\n";
  }
  const TrackFolder& written = r.outputs.tracks();
  if (!written.without_bigwig().empty()) {
    std::cout << "tracks: some or all without bigWig: " << written.without_bigwig() << "\n";
  }
  if (!written.outside().empty()) {
    std::cout << "tracks: none for " << named(written.outside(), "enhancer")
              << " without a base on the chromosome\n";
  }
}

/// The exit code.
int run(const AttributeOptions& options) {
  catch_interrupts("cdt-attribute");
  const OutputFolder out(kAttributionOutput, options.common, inputs_of(options));
  const Methods methods = choose_methods(options.methods);
  Inference inference(options.common, options.overrides);
  const std::vector<Pair> pairs = choose_pairs(options.choice, inference.data);
  const std::optional<Truth> truth = read_truth(inference.data.directory, inference.data.bins);
  const ChromosomeSizes sizes = options.chrom_sizes.empty()
                                    ? ChromosomeSizes(inference.data.assembly)
                                    : ChromosomeSizes(inference.data.assembly, options.chrom_sizes);
  std::vector<Region> occluded =
      choose_regions(options.gradient.occlude_regions, inference.data, sizes, pairs);
  const auto count = static_cast<std::int64_t>(pairs.size());
  AttributionOutputs outputs(out.path(), inference.data, sizes, methods, count, options.tracks,
                             options.temperature);
  MapOutputs maps(out.path(), options.maps, inference, pairs);
  Sections sections(out.path(), inference.data, sizes, truth, methods,
                    read_annotations(options, inference.data, sizes),
                    {options.null_replicates, options.choice.seed});
  GradientReports gradients(out.path(), options.gradient, options.common, inference, methods,
                            count);
  RegionReport regions(out.path(), inference.data, std::move(occluded), options.choice.seed);
  require_free_space(out.path(), maps.bytes() + score_bytes(options, methods, inference, count));
  Progress progress("attribute", count, options.common.quiet);
  Receivers receivers{
      outputs, maps, sections, gradients, regions, progress, nlohmann::ordered_json::object()};
  const std::vector<PairNumbers> numbers =
      attribute_pairs(inference, pairs, methods, options, receivers);
  const Summary summary = summarise(numbers, methods, inference.data, truth,
                                    {options.null_replicates, options.choice.seed});
  nlohmann::ordered_json json = summary_json(summary);
  json["chromosome_sizes"] = sizes_json(inference.data, sizes);
  finish(receivers, std::move(json), options);
  warn_of_untrained(summary);
  std::cout << summary_table(summary);
  print_tables(receivers, options.tracks, count);
  report_profile(*inference.backend, out.path());
  return gradients.complain();
}

}  // namespace

int attribute_main(int argc, char** argv) {
  AttributeOptions options;
  int exit_code = 0;
  if (!parse_options(argc, argv, &options, &exit_code)) return exit_code;
  return run(options);
}

}  // namespace cdt
