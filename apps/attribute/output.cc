#include "apps/attribute/output.h"

#include <iostream>
#include <utility>

#include "apps/common/annotation_files.h"
#include "apps/common/program.h"
#include "apps/common/provenance.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

ChromosomeSizes sizes_for(const AttributeOptions& options, const Dataset& data) {
  if (options.chrom_sizes.empty()) return ChromosomeSizes(data.assembly);
  return {data.assembly, options.chrom_sizes};
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

}  // namespace

AttributionPlan::AttributionPlan(const AttributeOptions& options, const Dataset& data)
    : methods(choose_methods(options.methods)),
      pairs(choose_pairs(options.choice, data)),
      truth(truth_of(data)),
      sizes(sizes_for(options, data)),
      regions(choose_regions(options.gradient.occlude_regions, data, sizes, pairs)),
      annotations(annotations_of(options, data, sizes)) {}

AttributionOutput::AttributionOutput(const std::filesystem::path& folder,
                                     const AttributeOptions& options, const AttributionPlan& plan,
                                     const CdtConfig& config, const Fingerprint& fingerprint,
                                     const Dataset& data)
    : folder_(folder),
      methods_(plan.methods),
      sections_(make_sections({folder_, options, config, fingerprint, data, plan.sizes, plan.pairs,
                               methods_, plan.truth, plan.annotations, plan.regions})) {
  std::uint64_t bytes = 0;
  for (const auto& section : sections_) bytes += section->bytes();
  require_free_space(folder_, bytes);
}

void AttributionOutput::add(EnhancerResult result) {
  for (std::size_t i = 0; i < result.pairs.size(); ++i) {
    result.numbers.push_back(
        pair_numbers(result.pairs[i], result.scores[i], methods_, result.zero_dna));
  }
  for (const auto& section : sections_) section->add(result);
}

void AttributionOutput::finish(const std::string& provenance) {
  AttributionSummary summary;
  for (const auto& section : sections_) section->finish(&summary);
  AtomicFile made_by(folder_ / kProvenanceFile);
  AtomicFile numbers(folder_ / "summary.json");
  made_by.write(provenance);
  numbers.write(json_text(fields_json(std::move(summary))));
  made_by.flush_to_disk();
  numbers.flush_to_disk();
  remove_earlier_attribution(folder_);
  for (const auto& section : sections_) section->publish();
  made_by.commit();
  numbers.commit();  // last: an attribution without it counts as incomplete
  for (const auto& section : sections_) {
    if (const std::string line = section->warning(); !line.empty()) warn(line);
  }
  for (const auto& section : sections_) std::cout << section->text();
}

int AttributionOutput::report_failures() const {
  int exit_code = kExitDone;
  for (const auto& section : sections_) {
    const std::string line = section->failure();
    if (line.empty()) continue;
    std::cerr << "cdt-attribute: " << line << "\n";
    exit_code = kExitFailed;
  }
  return exit_code;
}

}  // namespace cdt
