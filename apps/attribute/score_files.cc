// Writes pairs.tsv, peaks.tsv and the scores of each method, after removing an earlier attribution.
#include <algorithm>
#include <system_error>

#include "apps/attribute/sections.h"
#include "apps/common/output_kind.h"
#include "apps/common/predictions.h"
#include "io/format/file.h"
#include "io/format/npy.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr const char* kMethodsFolder = "methods";
constexpr const char* kPeaksColumns =
    "\tmethod\trank\tchrom\tstart\tend\tbin\toffset_bp\tscore\tat_edge\n";

std::string pairs_header(const Dataset& data, const Methods& methods) {
  std::vector<std::string> fields{pair_header(data), "chrom",      "start", "end", "beta",
                                  "prediction",      "top_overlap"};
  for (const Method* method : methods) {
    for (const char* number :
         {"_peak_bin", "_peak_bp", "_entropy", "_effective_bins", "_peak_over_uniform"}) {
      fields.push_back(method->name + std::string(number));
    }
  }
  fields.emplace_back("gene_train_pairs");
  fields.emplace_back("zero_dna");
  return tab_separated(fields);
}

std::filesystem::path method_file(const std::filesystem::path& folder, const Method& method) {
  const bool is_default = &method < all_methods().data() + kDefaultMethods;
  return (is_default ? folder : folder / kMethodsFolder) / (std::string(method.name) + ".npy");
}

class ScoreFiles : public Section {
 public:
  explicit ScoreFiles(const SectionContext& context)
      : Section(context),
        training_(context.data),
        pairs_(context.folder / "pairs.tsv"),
        peaks_(context.folder / "peaks.tsv") {
    const std::vector<std::int64_t> shape = context.by_pair({data_.bins});
    if (context.methods.size() > kDefaultMethods) made_.emplace(context.folder / kMethodsFolder);
    for (const Method* method : context.methods) {
      scores_.push_back(std::make_unique<NpyWriter>(method_file(context.folder, *method), shape));
    }
    if (context.options.temperature > 0.0) {
      sharpened_.emplace(context.folder / "attention_sharpened.npy", shape);
    }
    pairs_.write(pairs_header(data_, context.methods));
    peaks_.write(pair_header(data_) + kPeaksColumns);
  }

  std::uint64_t bytes() const override {
    constexpr std::uint64_t kRowBytes = 40;  // per row of pairs.tsv and peaks.tsv
    const auto top = static_cast<std::uint64_t>(std::min(data_.bins, kTopBins));
    const std::uint64_t rows = 1 + scores_.size() * top;
    const auto arrays = static_cast<std::int64_t>(scores_.size() + (sharpened_ ? 1 : 0));
    return context_.array_bytes(arrays * data_.bins) + context_.pairs.size() * rows * kRowBytes;
  }

  void finish(AttributionSummary* /*summary*/) override {
    for (const auto& scores : scores_) scores->flush_to_disk();
    if (sharpened_) sharpened_->flush_to_disk();
    peaks_.flush_to_disk();
    pairs_.flush_to_disk();
  }

  void publish() override {
    for (const auto& scores : scores_) scores->commit();
    if (sharpened_) sharpened_->commit();
    peaks_.commit();
    pairs_.commit();
  }

 private:
  void add_pair(const EnhancerResult& result, std::size_t i) override {
    const std::vector<std::vector<float>>& windows = result.scores[i].windows;
    add_row(result.numbers[i]);
    for (std::size_t m = 0; m < windows.size(); ++m) {
      scores_[m]->append(windows[m].data(), data_.bins);
      add_peaks(result.numbers[i], m, windows[m]);
    }
    if (!sharpened_) return;
    sharpened_->append(sharpened(windows[kAttention], context_.options.temperature).data(),
                       data_.bins);
  }

  std::string offset(std::int64_t bin) const {
    return std::to_string(offset_bp(bin, data_.bins, data_.bin_bp));
  }

  void add_row(const PairNumbers& n) {
    const Enhancer& e = enhancer_of(data_, n.pair);
    std::vector<std::string> fields{pair_cells(data_, n.pair),
                                    e.chrom,
                                    std::to_string(e.start),
                                    std::to_string(e.end),
                                    format_number(n.pair.beta),
                                    format_number(n.prediction),
                                    n.shared_top ? std::to_string(*n.shared_top) : "nan"};
    for (const WindowNumbers& w : n.windows) {
      fields.push_back(w.defined() ? std::to_string(w.peak()) : "nan");
      fields.push_back(w.defined() ? offset(w.peak()) : "nan");
      fields.push_back(format_number(w.concentration.entropy));
      fields.push_back(format_number(w.concentration.effective_bins));
      fields.push_back(format_number(w.concentration.peak_over_uniform));
    }
    fields.push_back(std::to_string(training_.pairs_of(n.pair.gene)));
    fields.emplace_back(n.zero_dna ? "1" : "0");
    pairs_.write(tab_separated(fields));
  }

  void add_peaks(const PairNumbers& n, std::size_t method, const std::vector<float>& scores) {
    const Enhancer& e = enhancer_of(data_, n.pair);
    const std::vector<std::int64_t>& top = n.windows[method].top;
    for (std::size_t rank = 0; rank < top.size(); ++rank) {
      const std::int64_t bin = top[rank];
      const Locus interval = bin_interval(data_, context_.sizes, n.pair, bin);
      peaks_.write(tab_separated({pair_cells(data_, n.pair), methods_[method]->name,
                                  std::to_string(rank + 1), e.chrom, std::to_string(interval.start),
                                  std::to_string(interval.end), std::to_string(bin), offset(bin),
                                  format_number(scores[static_cast<std::size_t>(bin)]),
                                  at_edge(bin, data_.bins) ? "1" : "0"}));
    }
  }

  GeneTraining training_;
  std::optional<MadeFolder> made_;  // methods/, if methods beyond the defaults run
  AtomicFile pairs_, peaks_;
  std::vector<std::unique_ptr<NpyWriter>> scores_;  // by method
  std::optional<NpyWriter> sharpened_;
};

}  // namespace

std::unique_ptr<Section> make_score_files(const SectionContext& context) {
  return std::make_unique<ScoreFiles>(context);
}

void remove_files(const std::filesystem::path& folder,
                  const std::function<bool(const std::string& name)>& is_ours) {
  bool all_ours = true;
  for (const std::filesystem::path& entry : entries_of(folder)) {
    const bool ours = is_ours(entry.filename().string());
    if (ours) remove_file(entry);
    all_ours = all_ours && ours;
  }
  if (all_ours) remove_file(folder);
}

void remove_earlier_attribution(const std::filesystem::path& folder) {
  remove_for_good(folder / kAttributionOutput.sign);
  for (const char* name : kAttributionOutput.files) remove_file(folder / name);
  remove_files(folder / kMethodsFolder, [&](const std::string& name) {
    return std::any_of(all_methods().begin(), all_methods().end(), [&](const Method& method) {
      return method_file(folder, method).filename() == name;
    });
  });
  remove_files(folder / "maps", [](const std::string& name) {
    return name == "maps.json" || name.ends_with(".npy");
  });
}

}  // namespace cdt
