// The split of gradients by their way to DNA (--paths): paths.npy and the section "paths" of
// summary.json.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "apps/attribute/methods.h"
#include "io/npy.h"
#include "model/path_split.h"

namespace cdt {

class PathReport {
 public:
  /// pairs: how many will be split; wanted: --paths.
  PathReport(const std::filesystem::path& folder, const Inference& inference, std::int64_t pairs,
             bool wanted);

  /// One enhancer's genes. Uses the tape.
  void add(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted);
  /// After the last pair: brings the file to its name, or removes that of an earlier run, and adds
  /// the section. Pairs whose DNA is all zeros count for none of its numbers.
  void finish(nlohmann::ordered_json* summary);

 private:
  void count(const PathSplit& split, bool zero_dna);

  std::filesystem::path path_;
  std::unique_ptr<NpyWriter> norms_;  // or null
  std::array<std::vector<double>, PathSplit::kPaths> shares_;
  double additivity_error_ = 0;
  std::int64_t zero_dna_ = 0;
};

}  // namespace cdt
