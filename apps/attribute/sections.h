// Sections of an attribution: each takes the numbers of one enhancer after another, and finally
// writes its files, its part of summary.json and its text.
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

/// What sections are built from; everything referred to outlives them.
struct SectionContext {
  const std::filesystem::path& folder;
  const AttributeOptions& options;
  const CdtConfig& config;
  const Fingerprint& fingerprint;
  const Dataset& data;
  const ChromosomeSizes& sizes;
  const std::vector<Pair>& pairs;  // all pairs, in order
  const Methods& methods;
  const std::optional<Truth>& truth;
  const std::vector<Annotations>& annotations;
  const std::vector<Region>& regions;

  /// Shape of an array with one row per pair.
  std::vector<std::int64_t> by_pair(std::initializer_list<std::int64_t> row) const {
    std::vector<std::int64_t> shape{std::ssize(pairs)};
    shape.insert(shape.end(), row);
    return shape;
  }
  /// Bytes of a float32 array with `width` values per pair.
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

  /// Lower bound on the bytes of the files it will write.
  virtual std::uint64_t bytes() const { return 0; }
  /// Takes the next enhancer, in the order of the pairs. Large files are streamed under temporary
  /// names.
  virtual void add(const EnhancerResult& result) {
    if (result.zero_dna) zero_dna_ += std::ssize(result.pairs);
    for (std::size_t i = 0; i < result.pairs.size(); ++i) add_pair(result, i);
  }
  /// Call after the last enhancer: adds its part to summary.json, and completes the files under
  /// their temporary names, so that a lack of space shows while an earlier attribution is still
  /// there.
  virtual void finish(AttributionSummary* summary) = 0;
  /// Call after finish(): gives the files their names.
  virtual void publish() {}
  /// Lines for standard output; call after finish(), like the next two.
  virtual std::string text() const { return ""; }
  /// One line about anything doubtful; empty if there is nothing.
  virtual std::string warning() const { return ""; }
  /// One line about anything incomplete, which makes the exit code 1; empty if there is nothing.
  virtual std::string failure() const { return ""; }

 protected:
  /// Takes result.pairs[i], for sections that work pair by pair.
  virtual void add_pair(const EnhancerResult& /*result*/, std::size_t /*i*/) {}

  const SectionContext context_;
  const Dataset& data_;
  const Methods& methods_;
  std::int64_t zero_dna_ = 0;  // pairs so far whose DNA is all zeros
};
using Sections = std::vector<std::unique_ptr<Section>>;

/// Numbers of all pairs, and what the methods report about themselves. First in the list because it
/// creates summary.json.
std::unique_ptr<Section> make_summary(const SectionContext& context);
/// pairs.tsv, peaks.tsv, the scores of each method and attention_sharpened.npy.
std::unique_ptr<Section> make_score_files(const SectionContext& context);
/// --maps: "attention_maps". Throws InputError for an unknown map.
std::unique_ptr<Section> make_maps(const SectionContext& context);
/// --annotations: which annotated elements the peaks hit.
std::unique_ptr<Section> make_annotations(const SectionContext& context);
/// If there is a truth.json: "truth_scores".
std::unique_ptr<Section> make_truth_scores(const SectionContext& context);
/// If truth.json gives genes a class: "gene_classes".
std::unique_ptr<Section> make_gene_classes(const SectionContext& context);
/// For a method whose scores add up: "integrated_gradients" and integrated_gradients.tsv.
std::unique_ptr<Section> make_completeness(const SectionContext& context);
/// --paths: "paths", paths.npy, paths_product.npy; with --path-heads also path_heads.tsv.
std::unique_ptr<Section> make_paths(const SectionContext& context);
/// --gene-gradients: rna_gradient.npy, protein_gradient.npy.
std::unique_ptr<Section> make_gene_gradients(const SectionContext& context);
/// For a method that measures effects: "occlusion_vs_gradient".
std::unique_ptr<Section> make_effect_correlations(const SectionContext& context);
/// --occlude-region: "occlusion_regions", occlusion_regions.tsv.
std::unique_ptr<Section> make_regions(const SectionContext& context);
/// tracks/, for genome browsers.
std::unique_ptr<Section> make_tracks(const SectionContext& context);

/// Deletes the files of an earlier attribution that is about to be replaced, summary.json first, so
/// that the rest is not taken for a complete one.
void remove_earlier_attribution(const std::filesystem::path& folder);
/// Deletes the files of a folder whose names satisfy `is_ours`, then the folder if it is empty.
void remove_files(const std::filesystem::path& folder,
                  const std::function<bool(const std::string& name)>& is_ours);

/// Largest error of a path split that rounding can explain at this --precision.
double additivity_gate(const std::string& precision);

}  // namespace cdt
