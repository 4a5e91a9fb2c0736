// The folder tracks/ of an attribution: what genome browsers load (docs/attribution-files.md).
#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "apps/attribute/sections.h"
#include "apps/common/predictions.h"
#include "apps/common/tables.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/genome/bigwig/bigwig.h"
#include "io/genome/tracks.h"

namespace cdt {
namespace {

constexpr const char* kFolder = "tracks";
constexpr const char* kPeaks = "peaks.bed";
constexpr const char* kSession = "igv_session.xml";
constexpr const char* kCustomTracks = "ucsc.txt";

constexpr Rgb kNegative{128, 128, 128};

bool is_ours(const std::string& name) {
  if (name == kPeaks || name == kSession || name == kCustomTracks) return true;
  const std::span<const Method> methods = all_methods();
  return std::any_of(methods.begin(), methods.end(), [&](const Method& method) {
    const std::string end = "." + std::string(method.name);
    return name.ends_with(end + ".bedGraph") || name.ends_with(end + ".bw");
  });
}

/// Writes tracks. The first pairs get their own tracks; each of their enhancers gets tracks that
/// merge all its pairs, and these make up the tracks over all enhancers.
class TrackSection : public Section {
 public:
  explicit TrackSection(const SectionContext& context)
      : Section(context),
        folder_(context.folder / kFolder),
        sizes_(context.sizes),
        wanted_(context.options.tracks),
        all_pairs_(std::ssize(context.pairs)),
        training_(data_, context.config.readout),
        by_method_(methods_.size()) {}

  std::uint64_t bytes() const override {
    constexpr std::int64_t kIntervalBytes = 20;  // of bedGraph text
    return static_cast<std::uint64_t>(std::min(wanted_, all_pairs_) * data_.bins * kIntervalBytes) *
           methods_.size();
  }

  /// "tracks" lists the files, relative to the attribution's folder.
  void finish(AttributionSummary* summary) override {
    close_enhancer();
    if (!tracks_.empty()) summary->tracks = write();
  }

  /// Replaces the tracks of an earlier attribution; if there are none now, the folder is removed
  /// when nothing else is in it.
  void publish() override {
    remove_files(folder_, is_ours);
    for (AtomicFile& file : files_) file.commit();
  }

  std::string text() const override {
    std::string out;
    if (wanted_ < all_pairs_) {
      out += "tracks: the first " + std::to_string(wanted_) + " of " + std::to_string(all_pairs_) +
             " pairs (--tracks N for more)\n";
    }
    if (!without_bigwig_.empty()) {
      out += "tracks: some or all without bigWig: " + without_bigwig_ + "\n";
    }
    if (!outside_.empty()) {
      out +=
          "tracks: none for " + named(outside_, "enhancer") + " without a base on the chromosome\n";
    }
    return out;
  }

 private:
  struct Track {
    std::string file;  // without extension
    TrackLabel label;
    std::vector<ChromosomeScores> scores;
  };

  struct OfMethod {
    std::vector<ChromosomeScores> pairs;      // defined windows of the current enhancer
    std::int64_t untrained = 0;               // those of genes without training pairs
    std::vector<ChromosomeScores> enhancers;  // merged, of all enhancers before the current one
  };

  TrackLabel label(std::size_t method, const std::string& name,
                   const std::string& description) const {
    const Method& m = *methods_[method];
    return {"CDT " + std::string(m.name) + " " + name, description + ": " + m.meaning,
            ucsc_assembly(data_.assembly), m.colour, kNegative};
  }

  /// Label of a pair's own track; also says if it is undefined or its gene was never trained.
  TrackLabel pair_label(std::size_t method, const PairNumbers& numbers) const {
    const std::string& enhancer = enhancer_of(data_, numbers.pair).name;
    const std::string& gene = gene_of(data_, numbers.pair);
    std::string name = enhancer + " " + gene;
    std::string description = enhancer + " to " + gene;
    if (!data_.samples.empty()) {
      name += " " + sample_of(data_, numbers.pair);
      description += " in sample " + sample_of(data_, numbers.pair);
    }
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

  /// Label of a track that merges the pairs of the current enhancer.
  TrackLabel merged_label(std::size_t method) const {
    const std::string& name = enhancer_of(data_, enhancer_).name;
    const OfMethod& m = by_method_[method];
    const auto merged = std::ssize(m.pairs);
    std::string of =
        name + ", mean of " + number_of(merged, data_.samples.empty() ? "gene" : "pair");
    if (m.untrained > 0) of += ", " + std::to_string(m.untrained) + " of them never trained on";
    if (merged < pairs_) {
      of += "; " + number_of(pairs_ - merged, "undefined window") + " left out";
    }
    return label(method, name, of);
  }

  void add_pair(const EnhancerResult& result, std::size_t i) override {
    const PairNumbers& numbers = result.numbers[i];
    const bool own_track = rows_++ < wanted_;
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
    const TrackWindow window{e.chrom, bin_start(data_, e, 0), data_.bin_bp};
    // The row number in pairs.tsv makes the name unique.
    std::string file = std::to_string(rows_) + "_" + file_name_part(e.name) + "_" +
                       file_name_part(gene_of(data_, numbers.pair)) + ".";
    if (!data_.samples.empty()) {
      file.insert(file.size() - 1, "_" + file_name_part(sample_of(data_, numbers.pair)));
    }
    ++pairs_;
    add_peaks(numbers);
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      ChromosomeScores placed =
          window_scores(window, result.scores[i].windows[m], sizes_.size(e.chrom));
      if (own_track) {
        tracks_.push_back({file + methods_[m]->name, pair_label(m, numbers), {placed}});
      }
      if (!numbers.windows[m].defined()) continue;
      by_method_[m].untrained += training_.is_untrained(numbers.pair.gene) ? 1 : 0;
      by_method_[m].pairs.push_back(std::move(placed));
    }
  }

  void close_enhancer() {
    if (enhancer_ < 0) return;
    const std::string file = "merged_" + std::to_string(regions_.size()) + "_" +
                             file_name_part(enhancer_of(data_, enhancer_).name) + ".";
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      OfMethod& of = by_method_[m];
      if (of.pairs.empty()) continue;
      std::vector<ChromosomeScores> merged = merge_scores(of.pairs);
      of.enhancers.insert(of.enhancers.end(), merged.begin(), merged.end());
      tracks_.push_back({file + methods_[m]->name, merged_label(m), std::move(merged)});
      of.pairs.clear();
      of.untrained = 0;
    }
    enhancer_ = -1;
    pairs_ = 0;
  }

  void add_peaks(const PairNumbers& numbers) {
    const char* untrained = training_.is_untrained(numbers.pair.gene) ? "|never_trained_on" : "";
    const std::string sample = data_.samples.empty() ? "" : "|" + sample_of(data_, numbers.pair);
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const std::vector<std::int64_t>& top = numbers.windows[m].top;
      for (std::size_t rank = 0; rank < top.size(); ++rank) {
        const Locus bin = bin_interval(data_, sizes_, numbers.pair, top[rank]);
        if (bin.empty()) continue;
        peaks_.push_back({enhancer_of(data_, numbers.pair).chrom, bin.start, bin.end,
                          gene_of(data_, numbers.pair) + sample + "|" + methods_[m]->name + "|" +
                              std::to_string(rank + 1) + untrained,
                          static_cast<std::int64_t>(1000 * (top.size() - rank) / top.size()),
                          methods_[m]->colour});
      }
    }
  }

  std::vector<Track> tracks_over_all() const {
    std::vector<Track> out;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const std::vector<ChromosomeScores>& enhancers = by_method_[m].enhancers;
      if (enhancers.empty()) continue;
      const std::string count = number_of(std::ssize(enhancers), "enhancer");
      const std::size_t without = regions_.size() - enhancers.size();
      const std::string of =
          without == 0 ? count : count + "; " + std::to_string(without) + " undefined left out";
      out.push_back(
          {"all." + std::string(methods_[m]->name), label(m, count, of), merge_scores(enhancers)});
    }
    return out;
  }

  std::string session(const std::vector<Track>& all) const {
    std::vector<SessionResource> resources;
    if (!peaks_.empty()) resources.push_back({kPeaks, "CDT peaks", std::nullopt});
    for (const Track& track : all) {
      const char* extension = why_no_bigwig(track).empty() ? ".bw" : ".bedGraph";
      resources.push_back({track.file + extension, track.label.name, track.label.colour});
    }
    return igv_session_text(ucsc_assembly(data_.assembly), resources, regions_);
  }

  std::string custom_tracks(const std::vector<Track>& all) const {
    std::string out = ucsc_browser_line(regions_.front());
    if (!peaks_.empty()) {
      out += bed9_track_line("CDT peaks", "top bins of each pair and method",
                             ucsc_assembly(data_.assembly)) +
             bed9_text(peaks_);
    }
    for (const Track& track : all) out += bedgraph_text(track.label, track.scores);
    return out;
  }

  /// Why the track cannot be a bigWig file; "" if it can.
  std::string why_no_bigwig(const Track& track) const {
    if (!has_bigwig()) return "this build has no libBigWig";
    if (sizes_.all().empty()) {
      return "the chromosome sizes of assembly " + data_.assembly +
             " are not known (--chrom-sizes)";
    }
    for (const ChromosomeScores& s : track.scores) {
      if (sizes_.size(s.chrom) == 0) {
        return "the size of chromosome " + s.chrom + " of " + data_.assembly + " is not known";
      }
    }
    return "";
  }

  std::vector<std::string> write() {
    made_.emplace(folder_);
    std::vector<std::string> names;
    const auto add = [&](const std::string& name, const auto& write) {
      names.push_back(std::string(kFolder) + "/" + name);
      AtomicFile& file = files_.emplace_back(folder_ / name);
      write(file);
      file.set_aside();
    };
    const auto put = [&](const std::string& name, const std::string& content) {
      add(name, [&](AtomicFile& file) { file.write(content); });
    };
    const std::vector<Track> all = tracks_over_all();
    for (const auto* tracks : {&std::as_const(tracks_), &all}) {
      for (const Track& track : *tracks) {
        put(track.file + ".bedGraph", bedgraph_text(track.label, track.scores));
        const std::string reason = why_no_bigwig(track);
        if (reason.empty()) {
          add(track.file + ".bw",
              [&](AtomicFile& file) { write_bigwig(file, sizes_.all(), track.scores); });
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

  std::filesystem::path folder_;
  std::optional<MadeFolder> made_;
  std::deque<AtomicFile> files_;
  const ChromosomeSizes& sizes_;
  std::int64_t wanted_, all_pairs_;
  std::int64_t rows_ = 0;  // rows of pairs.tsv so far
  std::vector<Track> tracks_;
  std::vector<BedPeak> peaks_;
  std::vector<Locus> regions_;  // windows of the enhancers with tracks
  std::vector<std::string>
      outside_;  // enhancers without a base on their chromosome, which have no tracks
  GeneTraining training_;
  std::int32_t enhancer_ = -1;  // the current one, or -1
  std::int64_t pairs_ = 0;      // pairs of it
  std::vector<OfMethod> by_method_;
  std::string without_bigwig_;  // why some bedGraph has no bigWig next to it
};

}  // namespace

std::unique_ptr<Section> make_tracks(const SectionContext& context) {
  return std::make_unique<TrackSection>(context);
}

}  // namespace cdt
