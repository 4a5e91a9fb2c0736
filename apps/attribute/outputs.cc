#include "apps/attribute/outputs.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/text.h"
#include "io/tracks.h"

namespace cdt {
namespace {

constexpr const char* kTrackFolder = "tracks";

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
  for (const WindowNumbers* w : {&n.attention, &n.gradient}) {
    fields.push_back(std::to_string(w->peak));
    fields.push_back(offset_text(data, w->peak));
    fields.push_back(format_number(w->concentration.entropy));
    fields.push_back(format_number(w->concentration.effective_bins));
    fields.push_back(format_number(w->concentration.peak_over_uniform));
  }
  return joined(fields);
}

constexpr const char* kPairsHeader =
    "enhancer\tgene\tchrom\tstart\tend\tbeta\tprediction\ttop_overlap\t"
    "attention_peak_bin\tattention_peak_bp\tattention_entropy\tattention_effective_bins\t"
    "attention_peak_over_uniform\t"
    "gradient_peak_bin\tgradient_peak_bp\tgradient_entropy\tgradient_effective_bins\t"
    "gradient_peak_over_uniform\n";
constexpr const char* kPeaksHeader =
    "enhancer\tgene\tmethod\trank\tchrom\tstart\tend\tbin\toffset_bp\tscore\n";

bool is_our_track(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  for (const std::string suffix : {".attention.bedGraph", ".gradient.bedGraph"}) {
    if (name.size() > suffix.size() &&
        name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0) {
      return true;
    }
  }
  return false;
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
                                       std::int64_t pairs, std::int64_t tracks)
    : folder_(std::move(directory)),
      data_(data),
      pairs_(folder_.path() / "pairs.tsv"),
      peaks_(folder_.path() / "peaks.tsv"),
      attention_(folder_.path() / "attention.npy", {pairs, data.bins}),
      gradient_(folder_.path() / "gradient.npy", {pairs, data.bins}),
      track_pairs_(tracks) {
  pairs_.write(kPairsHeader);
  peaks_.write(kPeaksHeader);
}

void AttributionOutputs::add(const PairNumbers& numbers, const PairWindows& windows) {
  pairs_.write(pair_row(data_, numbers));
  attention_.append(windows.attention.data(), data_.bins);
  gradient_.append(windows.gradient.data(), data_.bins);
  add_peaks(numbers, "attention", numbers.attention, windows.attention);
  add_peaks(numbers, "gradient", numbers.gradient, windows.gradient);
  if (rows_ < track_pairs_) {
    add_track(numbers, "attention", "attention of the gene to the DNA bins, mean over heads",
              windows.attention);
    add_track(numbers, "gradient", "norm of the gradient of the prediction to the DNA bins",
              windows.gradient);
  }
  ++rows_;
}

void AttributionOutputs::add_peaks(const PairNumbers& numbers, const char* method,
                                   const WindowNumbers& window, const std::vector<float>& scores) {
  const Enhancer& e = enhancer_of(data_, numbers.pair);
  for (std::size_t rank = 0; rank < window.top.size(); ++rank) {
    const std::int64_t bin = window.top[rank];
    const std::int64_t start = bin_start(data_, numbers.pair, bin);
    peaks_.write(joined({e.name, gene_of(data_, numbers.pair), method, std::to_string(rank + 1),
                         e.chrom, std::to_string(std::max<std::int64_t>(start, 0)),
                         std::to_string(std::max<std::int64_t>(start + data_.bin_bp, 0)),
                         std::to_string(bin), offset_text(data_, bin),
                         format_number(scores[static_cast<std::size_t>(bin)])}));
  }
}

void AttributionOutputs::add_track(const PairNumbers& numbers, const std::string& method,
                                   const std::string& meaning, const std::vector<float>& scores) {
  const Enhancer& e = enhancer_of(data_, numbers.pair);
  const std::string& gene = gene_of(data_, numbers.pair);
  const TrackLabel label{"CDT " + method + " " + gene, e.name + " to " + gene + ": " + meaning,
                         data_.assembly};
  const TrackWindow window{e.chrom, bin_start(data_, numbers.pair, 0), data_.bin_bp};
  // The row number of pairs.tsv makes the name unique.
  tracks_.push_back({std::to_string(rows_ + 1) + "_" + file_name_part(e.name) + "_" +
                         file_name_part(gene) + "." + method + ".bedGraph",
                     bedgraph_text(label, window, scores)});
}

void AttributionOutputs::write_tracks() const {
  const std::filesystem::path folder = folder_.path() / kTrackFolder;
  remove_tracks(folder);
  if (tracks_.empty()) return;
  create_output_directory(folder);
  for (const Track& track : tracks_) write_file(folder / track.file, track.content);
}

void AttributionOutputs::finish(const Summary& summary) {
  std::error_code absent;
  std::filesystem::remove(folder_.path() / "summary.json", absent);
  attention_.commit();
  gradient_.commit();
  peaks_.commit();
  pairs_.commit();
  write_tracks();
  std::vector<std::string> names;
  for (const Track& track : tracks_) names.push_back(std::string(kTrackFolder) + "/" + track.file);
  write_file(folder_.path() / "summary.json", summary_json(summary, names));
}

}  // namespace cdt
