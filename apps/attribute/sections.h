// An attribution is a list of sections: each takes the numbers of one enhancer after the other, and
// at the end writes its files, its part of summary.json and its text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/options.h"
#include "apps/attribute/passes.h"
#include "apps/common/attribution_summary.h"
#include "io/dataset/truth.h"
#include "io/genome/annotations.h"
#include "io/genome/assembly.h"
#include "model/fingerprint.h"

namespace cdt {

/// What sections are made of; all that is referred to outlives them.
struct SectionContext {
  const std::filesystem::path& folder;
  const AttributeOptions& options;
  const CdtConfig& config;
  const Fingerprint& fingerprint;
  const Dataset& data;
  const ChromosomeSizes& sizes;
  const std::vector<Pair>& pairs;  // all that will come
  const Methods& methods;
  const Scorers& scorers;  // by method; there when the first enhancer is
  const std::optional<Truth>& truth;
  const std::vector<Annotations>& annotations;
  const std::vector<Region>& regions;

  /// The shape of an array with a row for each pair.
  std::vector<std::int64_t> by_pair(std::initializer_list<std::int64_t> row) const {
    std::vector<std::int64_t> shape{std::ssize(pairs)};
    shape.insert(shape.end(), row);
    return shape;
  }
  /// Of float32 arrays with a row of `width` values for each pair.
  std::uint64_t array_bytes(std::int64_t width) const {
    return pairs.size() * static_cast<std::uint64_t>(width) * sizeof(float);
  }
};

class Section {
 public:
  explicit Section(const SectionContext& context)
      : context_(context), data_(context.data), methods_(context.methods) {}
  virtual ~Section() = default;
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  /// Of the files it will write, at least.
  virtual std::uint64_t bytes() const { return 0; }
  /// Enhancers come in the order of the pairs. Large files are streamed under temporary names.
  virtual void add(const EnhancerResult& result) {
    if (result.zero_dna) zero_dna_ += std::ssize(result.pairs);
    for (std::size_t i = 0; i < result.pairs.size(); ++i) add_pair(result, i);
  }
  /// After the last enhancer: brings the files to their names and adds its part to summary.json.
  virtual void finish(AttributionSummary* summary) = 0;
  /// Lines for standard output; after finish(), as the two below.
  virtual std::string text() const { return ""; }
  /// A line on what is doubtful; empty if nothing is.
  virtual std::string warning() const { return ""; }
  /// A line on what is incomplete, which makes the exit code 1; empty if nothing is.
  virtual std::string failure() const { return ""; }

 protected:
  /// Takes result.pairs[i], for sections that take pair by pair.
  virtual void add_pair(const EnhancerResult& /*result*/, std::size_t /*i*/) {}

  const SectionContext context_;
  const Dataset& data_;
  const Methods& methods_;
  std::int64_t zero_dna_ = 0;  // pairs so far whose DNA is all zeros
};
using Sections = std::vector<std::unique_ptr<Section>>;

/// The numbers of all pairs, and what the methods say of themselves. First in the list: it makes
/// summary.json.
std::unique_ptr<Section> make_summary(const SectionContext& context);
/// pairs.tsv, peaks.tsv, the scores of each method and attention_sharpened.npy.
std::unique_ptr<Section> make_score_files(const SectionContext& context);
/// --maps: "attention_maps". InputError for an unknown map.
std::unique_ptr<Section> make_maps(const SectionContext& context);
/// --annotations: which annotated elements the peaks hit.
std::unique_ptr<Section> make_annotations(const SectionContext& context);
/// With truth.json: "truth_scores".
std::unique_ptr<Section> make_truth_scores(const SectionContext& context);
/// Of a method that adds up: "integrated_gradients", integrated_gradients.tsv.
std::unique_ptr<Section> make_completeness(const SectionContext& context);
/// --paths: "paths", paths.npy, paths_product.npy; with --path-heads path_heads.tsv.
std::unique_ptr<Section> make_paths(const SectionContext& context);
/// --gene-gradients: rna_gradient.npy, protein_gradient.npy.
std::unique_ptr<Section> make_gene_gradients(const SectionContext& context);
/// Of a method that measures effects: "occlusion_vs_gradient".
std::unique_ptr<Section> make_effect_correlations(const SectionContext& context);
/// --occlude-region: "occlusion_regions", occlusion_regions.tsv.
std::unique_ptr<Section> make_regions(const SectionContext& context);
/// tracks/, for genome browsers.
std::unique_ptr<Section> make_tracks(const SectionContext& context);

/// An earlier attribution is about to be replaced: its files go, summary.json first, so that it is
/// not taken for whole any more.
void remove_earlier_attribution(const std::filesystem::path& folder);
/// Removes the files of a folder whose names `is_ours`, and the folder if it is empty then.
void remove_files(const std::filesystem::path& folder,
                  const std::function<bool(const std::string& name)>& is_ours);

/// Largest error of a path split that rounding explains, by --precision.
double additivity_gate(const std::string& precision);

}  // namespace cdt
