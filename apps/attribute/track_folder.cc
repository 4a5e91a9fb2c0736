#include "apps/attribute/track_folder.h"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "apps/attribute/place.h"
#include "apps/common/format.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/genome/assembly.h"
#include "io/genome/bigwig/bigwig.h"

namespace cdt {
namespace {

constexpr const char* kFolder = "tracks";
constexpr const char* kPeaks = "peaks.bed";
constexpr const char* kSession = "igv_session.xml";
constexpr const char* kCustomTracks = "ucsc.txt";

/// Okabe and Ito's palette, which the colour-blind can tell apart, by place in all_methods().
constexpr std::array<Rgb, 9> kColours{{{0, 114, 178},
                                       {213, 94, 0},
                                       {0, 158, 115},
                                       {204, 121, 167},
                                       {86, 180, 233},
                                       {230, 159, 0},
                                       {136, 124, 0},
                                       {0, 0, 0},
                                       {96, 96, 96}}};
constexpr Rgb kNegative{128, 128, 128};

Rgb colour_of(const Method& method) {
  return kColours[static_cast<std::size_t>(&method - all_methods().data()) % kColours.size()];
}

bool is_ours(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  if (name == kPeaks || name == kSession || name == kCustomTracks) return true;
  const std::span<const Method> methods = all_methods();
  return std::any_of(methods.begin(), methods.end(), [&](const Method& method) {
    const std::string end = "." + std::string(method.name);
    return name.ends_with(end + ".bedGraph") || name.ends_with(end + ".bw");
  });
}

void remove_tracks(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> old;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (is_ours(entry.path())) old.push_back(entry.path());
  }
  for (const auto& path : old) std::filesystem::remove(path, error);
  std::filesystem::remove(folder, error);  // if it is empty now
}

std::string numbered(const char* prefix, std::size_t number, const std::string& name) {
  return prefix + std::to_string(number) + "_" + file_name_part(name);
}

}  // namespace

TrackFolder::TrackFolder(const Dataset& data, const ChromosomeSizes& sizes, Methods methods,
                         std::int64_t tracks)
    : data_(data),
      sizes_(sizes),
      methods_(std::move(methods)),
      track_pairs_(tracks),
      training_(data),
      untrained_(methods_.size()),
      pairs_of_enhancer_(methods_.size()),
      enhancers_(methods_.size()) {}

TrackLabel TrackFolder::label(std::size_t method, const std::string& name,
                              const std::string& description) const {
  const Method& m = *methods_[method];
  return {"CDT " + std::string(m.name) + " " + name, description + ": " + m.meaning,
          ucsc_assembly(data_.assembly), colour_of(m), kNegative};
}

TrackLabel TrackFolder::pair_label(std::size_t method, const PairNumbers& numbers) const {
  const std::string& enhancer = enhancer_of(data_, numbers.pair).name;
  const std::string& gene = gene_of(data_, numbers.pair);
  std::string name = enhancer + " " + gene;
  std::string description = enhancer + " to " + gene;
  if (training_.is_untrained(numbers.pair.gene)) {
    name += " (gene never trained on)";
    description += ", a gene the model was never trained on";
  }
  const WindowState state = numbers.windows[method].state;
  if (state != WindowState::kDefined) {
    description += std::string(", undefined: the window ") + meaning_of(state);
  }
  return label(method, name, description);
}

TrackLabel TrackFolder::merged_label(std::size_t method) const {
  const std::string& name = data_.enhancers[static_cast<std::size_t>(enhancer_)].name;
  const auto merged = static_cast<std::int64_t>(pairs_of_enhancer_[method].size());
  std::string of = name + ", mean of " + number_of(merged, "gene");
  if (untrained_[method] > 0) {
    of += ", " + std::to_string(untrained_[method]) + " of them never trained on";
  }
  if (merged < pairs_) {
    of += "; " + number_of(pairs_ - merged, "undefined window") + " left out";
  }
  return label(method, name, of);
}

void TrackFolder::add(const PairNumbers& numbers, const PairScores& scores) {
  const bool own_track = rows_++ < track_pairs_;
  if (numbers.pair.enhancer != enhancer_) {
    close_enhancer();
    if (!own_track) return;
    const Locus whole = window_interval(data_, sizes_, numbers.pair);
    if (whole.empty()) {
      if (outside_.empty() || outside_.back() != whole.name) outside_.push_back(whole.name);
      return;
    }
    enhancer_ = numbers.pair.enhancer;
    regions_.push_back(whole);
  }
  const Enhancer& e = enhancer_of(data_, numbers.pair);
  const std::string& gene = gene_of(data_, numbers.pair);
  const TrackWindow window{e.chrom, bin_start(data_, numbers.pair, 0), data_.bin_bp};
  const std::int64_t size = sizes_.size(e.chrom);
  ++pairs_;
  add_peaks(numbers);
  for (std::size_t m = 0; m < methods_.size(); ++m) {
    ChromosomeScores placed = window_scores(window, scores.windows[m], size);
    // The row number of pairs.tsv makes the name unique.
    if (own_track) {
      tracks_.push_back({numbered("", static_cast<std::size_t>(rows_), e.name) + "_" +
                             file_name_part(gene) + "." + methods_[m]->name,
                         pair_label(m, numbers),
                         {placed}});
    }
    if (!numbers.windows[m].defined()) continue;
    untrained_[m] += training_.is_untrained(numbers.pair.gene) ? 1 : 0;
    pairs_of_enhancer_[m].push_back(std::move(placed));
  }
}

void TrackFolder::close_enhancer() {
  if (enhancer_ < 0) return;
  const std::string& name = data_.enhancers[static_cast<std::size_t>(enhancer_)].name;
  for (std::size_t m = 0; m < methods_.size(); ++m) {
    if (pairs_of_enhancer_[m].empty()) continue;
    TrackLabel label = merged_label(m);
    std::vector<ChromosomeScores> merged = merge_scores(std::exchange(pairs_of_enhancer_[m], {}));
    enhancers_[m].insert(enhancers_[m].end(), merged.begin(), merged.end());
    std::string file = numbered("merged_", regions_.size(), name);
    file.append(".").append(methods_[m]->name);
    tracks_.push_back({std::move(file), std::move(label), std::move(merged)});
  }
  enhancer_ = -1;
  pairs_ = 0;
  untrained_.assign(methods_.size(), 0);
}

void TrackFolder::add_peaks(const PairNumbers& numbers) {
  const char* untrained = training_.is_untrained(numbers.pair.gene) ? "|never_trained_on" : "";
  for (std::size_t m = 0; m < methods_.size(); ++m) {
    const std::vector<std::int64_t>& top = numbers.windows[m].top;
    for (std::size_t rank = 0; rank < top.size(); ++rank) {
      const Locus bin = bin_interval(data_, sizes_, numbers.pair, top[rank]);
      if (bin.empty()) continue;
      peaks_.push_back({enhancer_of(data_, numbers.pair).chrom, bin.start, bin.end,
                        gene_of(data_, numbers.pair) + "|" + methods_[m]->name + "|" +
                            std::to_string(rank + 1) + untrained,
                        static_cast<std::int64_t>(1000 * (top.size() - rank) / top.size()),
                        colour_of(*methods_[m])});
    }
  }
}

std::vector<TrackFolder::Track> TrackFolder::tracks_over_all() const {
  std::vector<Track> out;
  for (std::size_t m = 0; m < methods_.size(); ++m) {
    if (enhancers_[m].empty()) continue;
    const std::string count =
        number_of(static_cast<std::int64_t>(enhancers_[m].size()), "enhancer");
    const std::size_t without = regions_.size() - enhancers_[m].size();
    const std::string of =
        without == 0 ? count : count + "; " + std::to_string(without) + " undefined left out";
    out.push_back({"all." + std::string(methods_[m]->name), label(m, count, of),
                   merge_scores(enhancers_[m])});
  }
  return out;
}

std::string TrackFolder::session(const std::vector<Track>& all) const {
  std::vector<SessionResource> resources;
  if (!peaks_.empty()) resources.push_back({kPeaks, "CDT peaks", std::nullopt});
  for (const Track& track : all) {
    const char* extension = why_no_bigwig(track).empty() ? ".bw" : ".bedGraph";
    resources.push_back({track.file + extension, track.label.name, track.label.colour});
  }
  return igv_session_text(ucsc_assembly(data_.assembly), resources, regions_);
}

std::string TrackFolder::custom_tracks(const std::vector<Track>& all) const {
  std::string out = ucsc_browser_line(regions_.front());
  if (!peaks_.empty()) {
    out += bed9_track_line("CDT peaks", "top bins of each pair and method",
                           ucsc_assembly(data_.assembly)) +
           bed9_text(peaks_);
  }
  for (const Track& track : all) out += bedgraph_text(track.label, track.scores);
  return out;
}

std::string TrackFolder::why_no_bigwig(const Track& track) const {
  if (!has_bigwig()) return "this build has no libBigWig";
  if (sizes_.all().empty()) {
    return "the chromosome sizes of assembly " + data_.assembly + " are not known (--chrom-sizes)";
  }
  for (const ChromosomeScores& s : track.scores) {
    if (sizes_.size(s.chrom) == 0) {
      return "no size is known of chromosome " + s.chrom + " of " + data_.assembly;
    }
  }
  return "";
}

std::vector<std::string> TrackFolder::write(const std::filesystem::path& directory) {
  close_enhancer();
  const std::filesystem::path folder = directory / kFolder;
  remove_tracks(folder);
  if (tracks_.empty()) return {};
  create_output_directory(folder);
  std::vector<std::string> names;
  const auto put = [&](const std::string& name, const std::string& content) {
    write_file(folder / name, content);
    names.push_back(std::string(kFolder) + "/" + name);
  };
  std::vector<Track> all = tracks_over_all();
  for (const std::vector<Track>* tracks : {&tracks_, &all}) {
    for (const Track& track : *tracks) {
      put(track.file + ".bedGraph", bedgraph_text(track.label, track.scores));
      const std::string reason = why_no_bigwig(track);
      if (reason.empty()) {
        write_bigwig(folder / (track.file + ".bw"), sizes_.all(), track.scores);
        names.push_back(std::string(kFolder) + "/" + track.file + ".bw");
      } else {
        without_bigwig_ = reason;
      }
    }
  }
  if (!peaks_.empty()) put(kPeaks, bed9_text(peaks_));
  put(kSession, session(all));
  put(kCustomTracks, custom_tracks(all));
  return names;
}

}  // namespace cdt
