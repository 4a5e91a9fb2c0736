// What metrics.json of cdt-predict says that the table of predictions beside it cannot: what the
// predictions were made of, whether the model was trained on the data set's pairs, the second
// screen, the controls and how further baselines are called.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/evaluation/baselines.h"
#include "apps/evaluation/controls.h"
#include "apps/evaluation/replicate.h"
#include "io/format/json_fields.h"
#include "model/inputs.h"

namespace cdt {

struct RecordedMetrics {
  struct Baseline {
    std::string label;
    template <class V>
    void fields(V& v) {
      v("label", label);
    }
  };
  /// Those that cannot be fitted anew, and the file of gene starts they rest on.
  struct Baselines {
    std::optional<Baseline> distance, ridge;
    std::optional<std::string> gene_starts;
    template <class V>
    void fields(V& v) {
      v("distance", distance);
      v("ridge", ridge);
      v("gene_starts", gene_starts);
    }
  };

  std::string split, data, model;
  Fingerprint fingerprint;
  Nullable<bool> trained_here;
  std::string table_digest;  // of predictions.tsv
  std::optional<Replicate> replicate;
  Nullable<Baselines> baselines;
  std::optional<Controls> controls, tested_controls;

  template <class V>
  void fields(V& v) {
    v("split", split);
    v("data", data);
    v("model", model);
    v("fingerprint", fingerprint);
    v("trained_on_these_pairs", trained_here);
    v.group("predictions", [&](auto& in) { in("digest", table_digest); });
    v("replicate", replicate);
    v("baselines", baselines);
    v("controls", controls);
    v.group("tested", [&](auto& in) { in("controls", tested_controls); });
  }
};

/// Of DIRECTORY/metrics.json, under labels of ours. InputError for an older version.
RecordedMetrics read_metrics(const std::filesystem::path& directory);

/// Name and label (one of ours, whatever the file says) of the baselines that cannot be fitted
/// anew: their predictions stand in the table.
std::vector<BaselinePrediction> recorded_baselines(const RecordedMetrics& metrics);

}  // namespace cdt
