#include "apps/attribute/outputs.h"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

#include "apps/common/json_text.h"
#include "engine/error.h"
#include "io/text.h"
#include "io/tracks.h"

namespace cdt {
namespace {

constexpr const char* kTrackFolder = "tracks";
constexpr const char* kSharpenedFile = "attention_sharpened.npy";
constexpr const char* kMethodsFolder = "methods";

const Enhancer& enhancer_of(const Dataset& data, const Pair& pair) {
  return data.enhancers[static_cast<std::size_t>(pair.enhancer)];
}

const std::string& gene_of(const Dataset& data, const Pair& pair) {
  return data.genes[static_cast<std::size_t>(pair.gene)];
}

/// Position of a bin's left edge; may be negative.
std::int64_t bin_start(const Dataset& data, const Pair& pair, std::int64_t bin) {
  return enhancer_of(data, pair).centre() + offset_bp(bin, data.bins, data.bin_bp);
}

std::string joined(const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& field : fields) out += (out.empty() ? "" : "\t") + field;
  return out + "\n";
}

std::string offset_text(const Dataset& data, std::int64_t bin) {
  return std::to_string(offset_bp(bin, data.bins, data.bin_bp));
}

std::string pair_row(const Dataset& data, const PairNumbers& n) {
  const Enhancer& e = enhancer_of(data, n.pair);
  std::vector<std::string> fields{e.name,
                                  gene_of(data, n.pair),
                                  e.chrom,
                                  std::to_string(e.start),
                                  std::to_string(e.end),
                                  format_number(n.pair.beta),
                                  format_number(n.prediction),
                                  std::to_string(n.shared_top)};
  for (const WindowNumbers& w : n.windows) {
    fields.push_back(std::to_string(w.peak));
    fields.push_back(offset_text(data, w.peak));
    fields.push_back(format_number(w.concentration.entropy));
    fields.push_back(format_number(w.concentration.effective_bins));
    fields.push_back(format_number(w.concentration.peak_over_uniform));
  }
  fields.emplace_back(n.zero_dna ? "1" : "0");
  return joined(fields);
}

std::string pairs_header(const Methods& methods) {
  std::vector<std::string> fields{"enhancer", "gene", "chrom",      "start",
                                  "end",      "beta", "prediction", "top_overlap"};
  for (const Method* method : methods) {
    for (const char* number :
         {"_peak_bin", "_peak_bp", "_entropy", "_effective_bins", "_peak_over_uniform"}) {
      fields.push_back(method->name + std::string(number));
    }
  }
  fields.emplace_back("zero_dna");
  return joined(fields);
}

constexpr const char* kPeaksHeader =
    "enhancer\tgene\tmethod\trank\tchrom\tstart\tend\tbin\toffset_bp\tscore\tat_edge\n";

std::string track_suffix(const Method& method) {
  return "." + std::string(method.name) + ".bedGraph";
}

std::filesystem::path method_file(const std::filesystem::path& folder, std::size_t method,
                                  const Method& row) {
  const std::string name = std::string(row.name) + ".npy";
  return method < kDefaultMethods ? folder / name : folder / kMethodsFolder / name;
}

bool is_our_track(const std::filesystem::path& file) {
  const std::span<const Method> methods = all_methods();
  return std::any_of(methods.begin(), methods.end(), [&](const Method& method) {
    return file.filename().string().ends_with(track_suffix(method));
  });
}

/// Scores of an earlier attribution whose methods did not run this time.
void remove_other_methods(const std::filesystem::path& folder, const Methods& run) {
  std::error_code absent;
  const std::span<const Method> methods = all_methods();
  for (std::size_t i = kDefaultMethods; i < methods.size(); ++i) {
    if (std::find(run.begin(), run.end(), &methods[i]) != run.end()) continue;
    std::filesystem::remove(method_file(folder, i, methods[i]), absent);
  }
  std::filesystem::remove(folder / kMethodsFolder, absent);  // if it is empty now
}

void remove_tracks(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> old;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (is_our_track(entry.path())) old.push_back(entry.path());
  }
  for (const auto& path : old) std::filesystem::remove(path, error);
  std::filesystem::remove(folder, error);  // if it is empty now
}

}  // namespace

AttributionOutputs::AttributionOutputs(std::filesystem::path directory, const Dataset& data,
                                       Methods methods, std::int64_t pairs, std::int64_t tracks,
                                       double temperature)
    : folder_(std::move(directory)),
      data_(data),
      methods_(std::move(methods)),
      pairs_(folder_.path() / "pairs.tsv"),
      peaks_(folder_.path() / "peaks.tsv"),
      temperature_(temperature),
      track_pairs_(tracks) {
  if (temperature > 0.0) {
    sharpened_ = std::make_unique<NpyWriter>(folder_.path() / kSharpenedFile,
                                             std::vector<std::int64_t>{pairs, data.bins});
  }
  if (methods_.size() > kDefaultMethods) methods_folder_.emplace(folder_.path() / kMethodsFolder);
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    scores_.push_back(std::make_unique<NpyWriter>(method_file(folder_.path(), i, *methods_[i]),
                                                  std::vector<std::int64_t>{pairs, data.bins}));
  }
  pairs_.write(pairs_header(methods_));
  peaks_.write(kPeaksHeader);
}

void AttributionOutputs::add(const PairNumbers& numbers, const PairScores& scores) {
  pairs_.write(pair_row(data_, numbers));
  if (sharpened_ != nullptr) {
    sharpened_->append(sharpened(scores.windows[kAttention], temperature_).data(), data_.bins);
  }
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    scores_[i]->append(scores.windows[i].data(), data_.bins);
    add_peaks(numbers, i, scores.windows[i]);
    if (rows_ < track_pairs_) add_track(numbers, *methods_[i], scores.windows[i]);
  }
  ++rows_;
}

void AttributionOutputs::add_peaks(const PairNumbers& numbers, std::size_t method,
                                   const std::vector<float>& scores) {
  const WindowNumbers& window = numbers.windows[method];
  const Enhancer& e = enhancer_of(data_, numbers.pair);
  for (std::size_t rank = 0; rank < window.top.size(); ++rank) {
    const std::int64_t bin = window.top[rank];
    const std::int64_t start = bin_start(data_, numbers.pair, bin);
    peaks_.write(joined(
        {e.name, gene_of(data_, numbers.pair), methods_[method]->name, std::to_string(rank + 1),
         e.chrom, std::to_string(std::max<std::int64_t>(start, 0)),
         std::to_string(std::max<std::int64_t>(start + data_.bin_bp, 0)), std::to_string(bin),
         offset_text(data_, bin), format_number(scores[static_cast<std::size_t>(bin)]),
         at_edge(bin, data_.bins) ? "1" : "0"}));
  }
}

void AttributionOutputs::add_track(const PairNumbers& numbers, const Method& method,
                                   const std::vector<float>& scores) {
  const Enhancer& e = enhancer_of(data_, numbers.pair);
  const std::string& gene = gene_of(data_, numbers.pair);
  const TrackLabel label{"CDT " + std::string(method.name) + " " + gene,
                         e.name + " to " + gene + ": " + method.meaning, data_.assembly};
  const TrackWindow window{e.chrom, bin_start(data_, numbers.pair, 0), data_.bin_bp};
  // The row number of pairs.tsv makes the name unique.
  tracks_.push_back({std::to_string(rows_ + 1) + "_" + file_name_part(e.name) + "_" +
                         file_name_part(gene) + track_suffix(method),
                     bedgraph_text(label, window, scores)});
}

void AttributionOutputs::write_tracks() const {
  const std::filesystem::path folder = folder_.path() / kTrackFolder;
  remove_tracks(folder);
  if (tracks_.empty()) return;
  create_output_directory(folder);
  for (const Track& track : tracks_) write_file(folder / track.file, track.content);
}

void AttributionOutputs::finish(nlohmann::ordered_json summary, const std::string& command) {
  std::error_code absent;
  std::filesystem::remove(folder_.path() / "summary.json", absent);
  for (const auto& scores : scores_) scores->commit();
  remove_other_methods(folder_.path(), methods_);
  if (sharpened_ != nullptr) {
    sharpened_->commit();
  } else {
    std::filesystem::remove(folder_.path() / kSharpenedFile, absent);
  }
  peaks_.commit();
  pairs_.commit();
  write_tracks();
  summary["tracks"] = nlohmann::ordered_json::array();
  for (const Track& track : tracks_) {
    summary["tracks"].push_back(std::string(kTrackFolder) + "/" + track.file);
  }
  write_file(folder_.path() / "command.json", command);
  write_file(folder_.path() / "summary.json", json_text(summary));
}

}  // namespace cdt
