// The files of `--maps`: whole attention maps of the first enhancers, and what they say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/methods.h"
#include "apps/common/inference.h"
#include "io/format/npy.h"
#include "io/format/output.h"
#include "model/explain/attention_window.h"

namespace cdt {

struct MapChoice {
  std::string list;        // names or "all"; "": no maps
  bool per_head = false;   // else mean over heads
  std::int64_t pairs = 1;  // of the enhancers of the first pairs
};

/// Writes OUT/maps/NAME.npy and maps.json; with an empty list takes those of an earlier run away.
class MapOutputs {
 public:
  /// pairs: all that are explained, those of one enhancer together. InputError naming --maps for an
  /// unknown map.
  MapOutputs(const std::filesystem::path& out, const MapChoice& choice, const Inference& inference,
             const std::vector<Pair>& pairs);

  /// Of all the files.
  std::uint64_t bytes() const;

  /// Maps that do not depend on DNA. Clears the tape, as add() does.
  void add_trunks(Inference& inference);
  /// Maps of an enhancer, if it is among the first; calls come in the order of the pairs.
  void add(Inference& inference, const Trunks& trunks, const EnhancerGenes& wanted);
  /// Brings the files to their names and adds "attention_maps" to summary.json: concentration by
  /// head, means over query rows and enhancers, and the correlation between gene rows. Enhancers
  /// whose DNA is all zeros are only counted.
  void finish(nlohmann::ordered_json* summary);

 private:
  struct Written {
    AttentionMap map;
    std::vector<std::int64_t> shape;
    std::unique_ptr<NpyWriter> file;
    std::vector<Concentration> heads;  // sums over enhancers with DNA
  };
  Written& write(const AttentionMap& map, std::span<const float> values);
  static void count(Written& to, std::span<const float> values);
  nlohmann::ordered_json description() const;

  std::filesystem::path path_;
  MapChoice choice_;
  const Dataset& data_;
  std::optional<MadeFolder> folder_;
  std::vector<std::int32_t> enhancers_;
  std::size_t added_ = 0;
  std::int64_t zero_dna_ = 0;  // of those added
  std::vector<AttentionMap> maps_;
  std::vector<Written> written_;
  struct GeneRows {
    std::int32_t enhancer;
    RowCorrelation correlation;
  };
  std::vector<GeneRows> gene_rows_;  // enhancers with DNA
};

}  // namespace cdt
