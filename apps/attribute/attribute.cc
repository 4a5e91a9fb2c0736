#include <algorithm>
#include <functional>
#include <future>
#include <iostream>
#include <string>
#include <utility>

#include "apps/attribute/batches.h"
#include "apps/attribute/sections.h"
#include "apps/common/annotation_files.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/provenance.h"
#include "apps/programs.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "model/dna_feed.h"

namespace cdt {
namespace {

Inputs inputs_of(const AttributeOptions& options) {
  Inputs inputs(options.common);
  inputs.add_file("--pairs", options.choice.file);
  inputs.add_file("--chrom-sizes", options.chrom_sizes);
  for (const std::string& file : options.annotations) inputs.add_file("--annotations", file);
  return inputs;
}

/// Reads the files of --annotations; warns on stderr about what was ignored or is doubtful.
std::vector<Annotations> annotations_of(const AttributeOptions& options, const Dataset& data,
                                        const ChromosomeSizes& sizes) {
  std::vector<Annotations> annotations = read_annotation_files(options.annotations, data);
  for (const Annotations& a : annotations) {
    const std::string left_out = left_out_text(a);
    if (!left_out.empty()) note(left_out);
    for (const std::string& doubt : assembly_doubts(a, data, sizes)) warn(doubt);
  }
  return annotations;
}

/// The sections that this run was asked for, in the order of their text.
Sections make_sections(const SectionContext& context) {
  const GradientOptions& gradient = context.options.gradient;
  Sections out;
  const auto add = [&](bool wanted, auto make) {
    if (!wanted) return;
    if (auto section = make(context)) out.push_back(std::move(section));
  };
  add(true, make_summary);
  add(true, make_score_files);
  add(!context.options.maps.list.empty(), make_maps);
  add(!context.annotations.empty(), make_annotations);
  add(context.truth.has_value(), make_truth_scores);
  add(context.truth.has_value() && context.truth->has_classes(), make_gene_classes);
  add(true, make_completeness);
  add(gradient.paths, make_paths);
  add(gradient.gene_gradients, make_gene_gradients);
  add(true, make_effect_correlations);
  add(!context.regions.empty(), make_regions);
  add(true, make_tracks);
  return out;
}

/// Computes the numbers of a batch's results on the host and passes them to the sections; returns
/// the number of pairs.
std::int64_t tell(std::vector<EnhancerResult> results, const Methods& methods,
                  const Sections& sections) {
  std::int64_t pairs = 0;
  for (EnhancerResult& result : results) {
    for (std::size_t i = 0; i < result.pairs.size(); ++i) {
      result.numbers.push_back(
          pair_numbers(result.pairs[i], result.scores[i], methods, result.zero_dna));
    }
    for (const auto& section : sections) section->add(result);
    pairs += std::ssize(result.pairs);
  }
  return pairs;
}

/// Explains the pairs batch by batch and passes the results to the sections.
void attribute_pairs(Inference& inference, const AttributeOptions& options,
                     const std::vector<Pair>& pairs, const Methods& methods, EnhancerPasses* passes,
                     const Sections& sections) {
  Progress progress("attribute", std::ssize(pairs), options.common.quiet);
  // Sections run while the next batch is computed, but not on a CPU, whose cores are busy with it,
  // nor with maps, which need passes of their own.
  const bool beside = inference.backend->asynchronous() && options.maps.list.empty();
  const std::vector<EnhancerBatch> batches =
      cut_into_batches(pairs, passes->places(), inference.config.hidden);
  DnaFeed feed(inference.data, *inference.backend, inference.lasting,
               std::max<std::int64_t>(1, passes->places()));
  feed.start(batches.front().rows());
  std::int64_t done = 0;
  std::future<std::int64_t> telling;
  const auto wait = [&] {
    if (telling.valid()) progress.update(done += telling.get());
  };
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const Tensor dna = feed.take();
    if (i + 1 < batches.size()) feed.start(batches[i + 1].rows());
    std::vector<EnhancerResult> results = passes->run(batches[i], dna);
    wait();
    telling = std::async(beside ? std::launch::async : std::launch::deferred, tell,
                         std::move(results), std::cref(methods), std::cref(sections));
    if (!beside) wait();
  }
  wait();
  progress.finish();
}

/// Writes all files; summary.json comes last, since an attribution without it counts as incomplete.
void write_files(const std::filesystem::path& folder, const std::string& provenance,
                 const Sections& sections) {
  remove_earlier_attribution(folder);
  AttributionSummary summary;
  for (const auto& section : sections) section->finish(&summary);
  write_file(folder / kProvenanceFile, provenance);
  write_file(folder / "summary.json", json_text(fields_json(std::move(summary))));
}

/// Runs the program; returns the exit code.
int run(const AttributeOptions& options) {
  catch_interrupts("cdt-attribute");
  const OutputFolder out(kAttributionOutput, options.common, inputs_of(options));
  const Methods methods = choose_methods(options.methods);
  Inference inference(options.common, options.overrides);
  const Dataset& data = inference.data;
  if (!options.maps.list.empty() && data.samples_count() > 1) {
    throw InputError("command line", "--maps",
                     "whole attention maps are not written where RNA differs between samples");
  }
  const std::vector<Pair> pairs = choose_pairs(options.choice, data);
  const std::optional<Truth> truth = truth_of(data);
  const ChromosomeSizes sizes = options.chrom_sizes.empty()
                                    ? ChromosomeSizes(data.assembly)
                                    : ChromosomeSizes(data.assembly, options.chrom_sizes);
  const std::vector<Region> regions =
      choose_regions(options.gradient.occlude_regions, data, sizes, pairs);
  const std::vector<Annotations> annotations = annotations_of(options, data, sizes);
  Scorers scorers;
  const Sections sections =
      make_sections({out.path(), options, inference.config, inference.fingerprint, data, sizes,
                     pairs, methods, scorers, truth, annotations, regions});
  std::uint64_t bytes = 0;
  for (const auto& section : sections) bytes += section->bytes();
  require_free_space(out.path(), bytes);

  EnhancerPasses passes(inference, options, methods, regions, pairs, &scorers);
  attribute_pairs(inference, options, pairs, methods, &passes, sections);
  write_files(out.path(),
              provenance_text(options.common, inference.fingerprint, inference.backend.get()),
              sections);

  int exit_code = 0;
  for (const auto& section : sections) {
    if (const std::string line = section->warning(); !line.empty()) warn(line);
  }
  for (const auto& section : sections) std::cout << section->text();
  report_profile(*inference.backend, out.path());
  for (const auto& section : sections) {
    const std::string line = section->failure();
    if (line.empty()) continue;
    std::cerr << "cdt-attribute: " << line << "\n";
    exit_code = 1;
  }
  return exit_code;
}

}  // namespace

int attribute_main(int argc, char** argv) {
  AttributeOptions options;
  return parse_options(argc, argv, &options) ? run(options) : kExitDone;
}

}  // namespace cdt
