// What a page is about: the run directory of cdt-train, and the model and data set to which all
// other outputs must belong, by the fingerprints that they carry (model/inputs.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/format/json_types.h"
#include "model/checkpoint.h"
#include "model/fingerprint.h"

namespace cdt {

/// The parts of config.json that a page needs.
struct RunConfig {
  struct Data {
    std::string data;
    template <class V>
    void fields(V& v) {
      v("data", data);
    }
  };

  std::string data, init;           // paths as config.json escapes them
  std::optional<Data> fingerprint;  // of the data set it was trained on, if recorded
  ByName<std::string> options;      // of cdt-train, as on a command line
  std::string variant;
  std::int64_t hidden = 0, heads = 0;
  std::optional<std::string> readout;
  std::optional<bool> bin_position, gene_position, gene_window;

  template <class V>
  void fields(V& v) {
    v("data", data);
    v("init", init);
    v("fingerprint", fingerprint);
    v.group("model", [&](auto& in) {
      in("variant", variant);
      in("hidden", hidden);
      in("heads", heads);
      in("readout", readout);
      in("bin_position", bin_position);
      in("gene_position", gene_position);
      in("gene_window", gene_window);
    });
  }
  /// Value of an option; empty if there is none.
  std::string option(const std::string& name) const;
};

/// One line of metrics.jsonl; NaN for null.
struct EpochRow {
  std::int64_t epoch = 0;
  double lr = 0, train_loss = 0, val_loss = 0, train_r = 0, val_r = 0;
  bool best = false;
  /// r of the validation pairs whose gene has training pairs, if these alone chose the best epoch;
  /// else NaN.
  double steering_r = std::numeric_limits<double>::quiet_NaN();
  /// Another number than r that chose the best epoch, such as "val_loss" (cdt-train --monitor); ""
  /// if r did.
  std::string monitor{};
  double monitored = std::numeric_limits<double>::quiet_NaN();

  template <class V>
  void fields(V& v) {
    v("epoch", epoch);
    v("lr", lr);
    v("train_loss", train_loss);
    v("val_loss", val_loss);
    v("train_pearson", train_r);
    v("val_pearson", val_r);
    v("best", best);
  }
};

struct RunRecord {
  std::filesystem::path directory;
  RunConfig config;
  std::vector<EpochRow> epochs;  // empty if no epoch is finished
  std::string command;           // a cdt-train command that starts the same run
  bool has_model = false;        // whether model.safetensors exists
  std::int64_t parameters = 0;   // of the model

  /// The last epoch marked best, whose weights were kept; null if there is none.
  const EpochRow* best() const;
};
/// Reads the run; throws InputError if the folder is no run directory.
RunRecord read_run(const std::filesystem::path& directory);
/// Reads its config.json. Options that are neither text nor a number have no text.
RunConfig read_config(const std::filesystem::path& file);
/// Reads its metrics.jsonl. by_seen: whether pairs of seen genes chose the best epoch.
std::vector<EpochRow> read_epochs(const std::filesystem::path& metrics, bool by_seen);

struct PageSource {
  std::filesystem::path run;  // its folder
  const Dataset& data;
  Fingerprint fingerprint;  // of the run's model, "" as long as it has none, and of the data set

  PageSource(const RunRecord& record, const Dataset& of, const ModelOverrides& overrides);
  /// Throws InputError naming both folders if an output, such as "the prediction", is of another
  /// model or data set.
  void expect(const std::filesystem::path& folder, const std::string& output,
              const Fingerprint& of) const;
};

/// Throws InputError unless a JSON file has this format and version; for an older version the
/// message says to run `program` again, with `command` if that is known.
void expect_version(const nlohmann::json& json, const std::string& source,
                    const std::string& format, std::int64_t version, const std::string& program,
                    const std::string& command);

}  // namespace cdt
