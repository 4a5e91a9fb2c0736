// The split of the ways via RNA and protein by head of the cross-attention of RNA to DNA
// (--path-heads): path_heads.tsv and "heads" in the section "paths" of summary.json.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "apps/attribute/methods.h"
#include "io/format/output.h"
#include "model/explain/path_split.h"
#include "model/stats/bootstrap.h"

namespace cdt {

class PathHeadsReport {
 public:
  /// wanted: --path-heads. inference outlives the object.
  PathHeadsReport(const std::filesystem::path& folder, const Inference& inference, bool wanted,
                  std::uint64_t seed);

  /// One enhancer's genes. Uses the tape.
  void add(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted);
  /// After the last pair: brings the file to its name, or removes that of an earlier run, and adds
  /// to the section, which stands. Pairs whose DNA is all zeros count for none of its numbers.
  void finish(nlohmann::ordered_json* summary);

 private:
  static constexpr std::size_t kWays = 2;
  /// By head, of each pair with a gradient.
  using Shares = std::vector<std::vector<double>>;
  void add_pair(const EnhancerGenes& wanted, std::int32_t gene,
                const std::array<HeadSplit, kWays>& ways);
  nlohmann::ordered_json half_json(const Shares& shares) const;

  std::filesystem::path path_;
  const Dataset& data_;
  std::optional<AtomicFile> file_;
  std::array<std::array<Shares, GradientPass::kHalves>, kWays> shares_;
  std::vector<std::int32_t> enhancers_;  // of those pairs
  BootstrapOptions bootstrap_;
  double additivity_error_ = 0;
};

}  // namespace cdt
