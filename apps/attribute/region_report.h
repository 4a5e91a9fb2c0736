// occlusion_regions.tsv: what each region of --occlude-region does to each pair's prediction,
// beside what the gradient claims of it. The section "occlusion_regions" of summary.json
// (docs/formats.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/methods.h"
#include "apps/attribute/regions.h"
#include "io/format/output.h"
#include "model/stats/bootstrap.h"

namespace cdt {

class RegionReport {
 public:
  /// regions: empty without --occlude-region. data outlives the object.
  RegionReport(const std::filesystem::path& folder, const Dataset& data,
               std::vector<Region> regions, std::uint64_t seed);

  /// One enhancer's genes. Uses the tape.
  void add(Inference& inference, Attributor& attributor, Baseline& baseline,
           const EnhancerGenes& wanted);
  /// After the last pair: brings the file to its name, or removes that of an earlier run, and adds
  /// the section to summary.json's content.
  void finish(nlohmann::ordered_json* summary);
  /// The same for a reader; empty without regions.
  std::string table() const;

 private:
  /// Rows that count, in order: effects and claims with the enhancers they are of.
  struct Rows {
    std::vector<float> differences, claims;
    std::vector<std::int32_t> enhancers;
    void add(const Rows& more);
    double pearson() const;
    double mean_difference() const;
    double mean_claim() const;
  };
  nlohmann::ordered_json rows_json(const Rows& rows) const;
  Rows all_rows() const;

  std::filesystem::path path_;
  const Dataset& data_;
  std::vector<Region> regions_;
  BootstrapOptions bootstrap_;
  std::string baseline_;
  std::int64_t zero_dna_ = 0;  // pairs
  std::optional<AtomicFile> file_;
  std::vector<Rows> rows_;  // by region
};

}  // namespace cdt
