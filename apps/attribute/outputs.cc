#include "apps/attribute/outputs.h"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

#include "apps/attribute/place.h"
#include "apps/common/json_text.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kSharpenedFile = "attention_sharpened.npy";
constexpr const char* kMethodsFolder = "methods";

std::string offset_text(const Dataset& data, std::int64_t bin) {
  return std::to_string(offset_bp(bin, data.bins, data.bin_bp));
}

std::string pair_row(const Dataset& data, const GeneTraining& training, const PairNumbers& n) {
  const Enhancer& e = enhancer_of(data, n.pair);
  std::vector<std::string> fields{e.name,
                                  gene_of(data, n.pair),
                                  e.chrom,
                                  std::to_string(e.start),
                                  std::to_string(e.end),
                                  format_number(n.pair.beta),
                                  format_number(n.prediction),
                                  n.shared_top ? std::to_string(*n.shared_top) : "nan"};
  for (const WindowNumbers& w : n.windows) {
    fields.push_back(w.defined() ? std::to_string(w.peak()) : "nan");
    fields.push_back(w.defined() ? offset_text(data, w.peak()) : "nan");
    fields.push_back(format_number(w.concentration.entropy));
    fields.push_back(format_number(w.concentration.effective_bins));
    fields.push_back(format_number(w.concentration.peak_over_uniform));
  }
  fields.push_back(std::to_string(training.pairs_of(n.pair.gene)));
  fields.emplace_back(n.zero_dna ? "1" : "0");
  return tab_separated(fields);
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
  fields.emplace_back("gene_train_pairs");
  fields.emplace_back("zero_dna");
  return tab_separated(fields);
}

constexpr const char* kPeaksHeader =
    "enhancer\tgene\tmethod\trank\tchrom\tstart\tend\tbin\toffset_bp\tscore\tat_edge\n";

std::filesystem::path method_file(const std::filesystem::path& folder, std::size_t method,
                                  const Method& row) {
  const std::string name = std::string(row.name) + ".npy";
  return method < kDefaultMethods ? folder / name : folder / kMethodsFolder / name;
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

}  // namespace

AttributionOutputs::AttributionOutputs(std::filesystem::path directory, const Dataset& data,
                                       const ChromosomeSizes& sizes, Methods methods,
                                       std::int64_t pairs, std::int64_t tracks, double temperature)
    : folder_(std::move(directory)),
      data_(data),
      sizes_(sizes),
      methods_(std::move(methods)),
      pairs_(folder_ / "pairs.tsv"),
      peaks_(folder_ / "peaks.tsv"),
      temperature_(temperature),
      training_(data),
      tracks_(data, sizes, methods_, tracks) {
  if (temperature > 0.0) {
    sharpened_ = std::make_unique<NpyWriter>(folder_ / kSharpenedFile,
                                             std::vector<std::int64_t>{pairs, data.bins});
  }
  if (methods_.size() > kDefaultMethods) methods_folder_.emplace(folder_ / kMethodsFolder);
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    scores_.push_back(std::make_unique<NpyWriter>(method_file(folder_, i, *methods_[i]),
                                                  std::vector<std::int64_t>{pairs, data.bins}));
  }
  pairs_.write(pairs_header(methods_));
  peaks_.write(kPeaksHeader);
}

void AttributionOutputs::add(const PairNumbers& numbers, const PairScores& scores) {
  pairs_.write(pair_row(data_, training_, numbers));
  if (sharpened_ != nullptr) {
    sharpened_->append(sharpened(scores.windows[kAttention], temperature_).data(), data_.bins);
  }
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    scores_[i]->append(scores.windows[i].data(), data_.bins);
    add_peaks(numbers, i, scores.windows[i]);
  }
  tracks_.add(numbers, scores);
}

void AttributionOutputs::add_peaks(const PairNumbers& numbers, std::size_t method,
                                   const std::vector<float>& scores) {
  const WindowNumbers& window = numbers.windows[method];
  const Enhancer& e = enhancer_of(data_, numbers.pair);
  for (std::size_t rank = 0; rank < window.top.size(); ++rank) {
    const std::int64_t bin = window.top[rank];
    const Locus interval = bin_interval(data_, sizes_, numbers.pair, bin);
    peaks_.write(tab_separated(
        {e.name, gene_of(data_, numbers.pair), methods_[method]->name, std::to_string(rank + 1),
         e.chrom, std::to_string(interval.start), std::to_string(interval.end), std::to_string(bin),
         offset_text(data_, bin), format_number(scores[static_cast<std::size_t>(bin)]),
         at_edge(bin, data_.bins) ? "1" : "0"}));
  }
}

void AttributionOutputs::begin_replacing() const {
  std::error_code absent;
  std::filesystem::remove(folder_ / "summary.json", absent);
}

void AttributionOutputs::finish(nlohmann::ordered_json summary, const std::string& command) {
  std::error_code absent;
  for (const auto& scores : scores_) scores->commit();
  remove_other_methods(folder_, methods_);
  if (sharpened_ != nullptr) {
    sharpened_->commit();
  } else {
    std::filesystem::remove(folder_ / kSharpenedFile, absent);
  }
  peaks_.commit();
  pairs_.commit();
  summary["tracks"] = tracks_.write(folder_);
  write_file(folder_ / "command.json", command);
  write_file(folder_ / "summary.json", json_text(summary));
}

}  // namespace cdt
