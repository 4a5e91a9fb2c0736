// The predictions a report evaluates: made by the run's model, or read from cdt-predict's folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/cli.h"
#include "apps/evaluation/baselines.h"
#include "apps/evaluation/by_distance.h"
#include "apps/evaluation/controls.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/replicate.h"
#include "apps/report/sources.h"
#include "io/dataset/truth.h"
#include "model/checkpoint.h"
#include "model/fingerprint.h"

namespace cdt {

/// What cdt-predict's metrics.json records beyond the tables next to it: their sources, whether the
/// model was trained on the data set's pairs, the second screen, the controls, which baselines
/// there are, which pairs are positive, and the numbers by distance.
struct RecordedMetrics {
  struct Baselines {
    std::vector<const BaselineName*> names;  // of the baselines
    std::optional<std::string> gene_starts;  // the file that some of them use
    template <class V>
    void fields(V& v) {
      for (const BaselineName& known : kBaselines) {
        std::optional<Present> entry;
        v(known.name, entry);
        if (entry) names.push_back(&known);
      }
      v("gene_starts", gene_starts);
    }
    bool have(std::string_view name) const;

   private:
    /// An object whose content does not matter.
    struct Present {
      template <class V>
      void fields(V& /*v*/) {}
    };
  };
  struct Positives {
    Nullable<double> below;
    template <class V>
    void fields(V& v) {
      v("beta_below", below);
    }
  };

  std::string split, data, model;
  Fingerprint fingerprint;
  Nullable<bool> trained_here;
  std::optional<std::string> outputs;  // kNormalScores, if not effects
  std::string table_digest;            // of predictions.tsv
  std::optional<Replicate> replicate;
  Nullable<Baselines> baselines;
  Nullable<Positives> positives;
  std::optional<ByDistance> by_distance;
  std::optional<Controls> controls, tested_controls;

  template <class V>
  void fields(V& v) {
    v("split", split);
    v("data", data);
    v("model", model);
    v("fingerprint", fingerprint);
    v("trained_on_these_pairs", trained_here);
    v("outputs", outputs);
    v.group("predictions", [&](auto& in) { in("digest", table_digest); });
    v("replicate", replicate);
    v("baselines", baselines);
    v("classification", positives);
    v("by_distance", by_distance);
    v("controls", controls);
    v.group("tested", [&](auto& in) { in("controls", tested_controls); });
  }
};

/// Reads DIRECTORY/metrics.json, with labels of our own. Throws InputError for an older version.
RecordedMetrics read_metrics(const std::filesystem::path& directory);

/// The recorded baselines, without their predictions, which are in the table.
std::vector<BaselinePrediction> recorded_baselines(const RecordedMetrics& metrics);

/// Predictions of one split and their evaluation.
struct Evaluated {
  std::filesystem::path directory;  // of cdt-predict; empty if predicted here
  std::vector<Pair> pairs;
  std::vector<float> predictions;
  Evaluation evaluation;
  std::string command;  // the cdt-predict command that gives the same numbers
};

/// Predicts the split with run/model.safetensors, using the device and seed of `common`; genes: the
/// file of --genes, may be empty. Uses the pairs of `data`, which is the data set common.data, that
/// the model has a gene for.
Evaluated evaluate_run(CommonOptions common, const ModelOverrides& overrides, const RunRecord& run,
                       const Dataset& data, const std::string& split,
                       const std::filesystem::path& genes, const std::optional<Truth>& truth);

/// Reads predictions.tsv and metrics.json; throws InputError if they do not belong to the page's
/// source, or are of another split than `wanted` ("" for any).
Evaluated read_evaluated(const std::filesystem::path& directory, const std::string& wanted,
                         const PageSource& source, std::uint64_t seed,
                         const std::optional<Truth>& truth);

}  // namespace cdt
