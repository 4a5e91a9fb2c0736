#include "apps/attribute/annotation_report.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "apps/attribute/place.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr const char* kHeader =
    "enhancer\tgene\tmethod\trank\tchrom\tstart\tend\tfile\telement\tclass\telement_start\t"
    "element_end\tdistance\n";

std::string element_name(const Element& e, const std::string& chrom, std::int64_t chromosome_size) {
  if (!e.name.empty() && e.name != ".") return e.name;
  return locus_text(on_chromosome({chrom, e.start, e.end, ""}, chromosome_size));
}

std::vector<bool> on_chromosome(const Dataset& data, const ChromosomeSizes& sizes,
                                const Pair& pair) {
  std::vector<bool> out(static_cast<std::size_t>(data.bins));
  for (std::int64_t bin = 0; bin < data.bins; ++bin) {
    out[static_cast<std::size_t>(bin)] = !bin_interval(data, sizes, pair, bin).empty();
  }
  return out;
}

/// Bins of the pair's window that share a base with an element of the class.
std::vector<bool> covered_bins(const Dataset& data, const Pair& pair,
                               const Annotations& annotations, std::size_t class_index) {
  std::vector<bool> covered(static_cast<std::size_t>(data.bins), false);
  const ElementList* list = elements_on(annotations, enhancer_of(data, pair).chrom);
  if (list == nullptr) return covered;
  const std::int64_t start = bin_start(data, pair, 0);
  const std::int64_t end = start + data.bins * data.bin_bp;
  for (const Element* e : list->overlapping(start, end)) {
    const std::vector<std::size_t>& classes = annotations.classes_of_label[e->label];
    if (std::find(classes.begin(), classes.end(), class_index) == classes.end()) continue;
    const std::int64_t first = (std::max(e->start, start) - start) / data.bin_bp;
    const std::int64_t last = (std::min(e->end, end) - 1 - start) / data.bin_bp;
    for (std::int64_t bin = first; bin <= last; ++bin) {
      covered[static_cast<std::size_t>(bin)] = true;
    }
  }
  return covered;
}

}  // namespace

AnnotationReport::AnnotationReport(const std::filesystem::path& directory, const Dataset& data,
                                   const ChromosomeSizes& sizes, Methods methods,
                                   std::vector<Annotations> annotations, const NullOptions& options)
    : data_(data),
      sizes_(sizes),
      methods_(std::move(methods)),
      annotations_(std::move(annotations)),
      options_(options),
      rows_(directory / kAnnotationRows),
      hits_(methods_.size(), std::vector<PeakHits>(annotations_.size())) {
  rows_.write(kHeader);
}

void AnnotationReport::add(const PairNumbers& numbers) {
  ++pairs_;
  without_dna_ += numbers.zero_dna ? 1 : 0;
  for (std::size_t m = 0; m < methods_.size(); ++m) {
    for (std::size_t rank = 0; rank < numbers.windows[m].top.size(); ++rank) {
      for (std::size_t file = 0; file < annotations_.size(); ++file) {
        add_row(numbers, m, rank, file);
      }
    }
  }
  if (numbers.zero_dna) return;
  if (enhancers_.empty() || enhancers_.back().pair.enhancer != numbers.pair.enhancer) {
    enhancers_.push_back({numbers.pair, on_chromosome(data_, sizes_, numbers.pair), {}});
    enhancers_.back().tops.resize(methods_.size());
  }
  for (std::size_t m = 0; m < methods_.size(); ++m) {
    const WindowNumbers& window = numbers.windows[m];
    if (window.defined()) enhancers_.back().tops[m].push_back(window.top);
  }
}

void AnnotationReport::add_row(const PairNumbers& numbers, std::size_t method, std::size_t rank,
                               std::size_t file) {
  const Annotations& annotations = annotations_[file];
  const Enhancer& e = enhancer_of(data_, numbers.pair);
  const Locus bin = bin_interval(data_, sizes_, numbers.pair, numbers.windows[method].top[rank]);
  const ElementList* list = elements_on(annotations, e.chrom);
  const Element* element =
      list == nullptr || bin.empty() ? nullptr : list->nearest(bin.start, bin.end);
  std::vector<std::string> fields{
      e.name,  gene_of(data_, numbers.pair), methods_[method]->name,  std::to_string(rank + 1),
      e.chrom, std::to_string(bin.start),    std::to_string(bin.end), annotations.name};
  std::int64_t distance = 0;
  if (element == nullptr) {
    fields.insert(fields.end(), {".", ".", "nan", "nan", "nan"});
  } else {
    distance = distance_to(*element, bin.start, bin.end);
    fields.insert(fields.end(), {element_name(*element, e.chrom, sizes_.size(e.chrom)),
                                 annotations.labels[element->label], std::to_string(element->start),
                                 std::to_string(element->end), std::to_string(distance)});
  }
  rows_.write(tab_separated(fields));
  if (rank > 0) return;
  PeakHits& hits = hits_[method][file];
  ++hits.peaks;
  if (element == nullptr) return;
  hits.on_element += distance == 0 ? 1 : 0;
  hits.distances.push_back(static_cast<double>(std::llabs(distance)));
}

std::vector<EnrichmentWindow> AnnotationReport::windows(std::size_t file,
                                                        std::size_t class_index) const {
  std::vector<EnrichmentWindow> out;
  for (const EnhancerTops& e : enhancers_) {
    out.push_back({e.eligible, covered_bins(data_, e.pair, annotations_[file], class_index), {}});
  }
  return out;
}

std::vector<EnrichmentWindow> AnnotationReport::windows_of(
    std::size_t method, const std::vector<EnrichmentWindow>& all) const {
  std::vector<EnrichmentWindow> out;
  for (std::size_t e = 0; e < all.size(); ++e) {
    const auto& tops = enhancers_[e].tops[method];
    if (!tops.empty()) out.push_back({all[e].eligible, all[e].covered, tops});
  }
  return out;
}

void AnnotationReport::finish() {
  rows_.commit();
  const EnrichmentOptions options{.permutations = options_.replicates,
                                  .bootstrap = {.seed = options_.seed},
                                  .seed = options_.seed};
  std::vector<double> p;
  std::vector<double> fisher_p;
  for (std::size_t file = 0; file < annotations_.size(); ++file) {
    const Annotations& a = annotations_[file];
    for (std::size_t c = 0; c < a.classes.size(); ++c) {
      const std::vector<EnrichmentWindow> all = windows(file, c);
      for (std::size_t m = 0; m < methods_.size(); ++m) {
        const std::vector<EnrichmentWindow> some = windows_of(m, all);
        if (some.empty()) continue;
        classes_.push_back({methods_[m]->name, a.name, a.classes[c], hits_[m][file].peaks,
                            enrichment(some, options)});
        const Enrichment& numbers = classes_.back().numbers;
        p.push_back(numbers.weakest.p);
        fisher_p.push_back(std::isnan(numbers.fold) ? numbers.fold : numbers.fisher.p_doubled);
      }
    }
  }
  const std::vector<double> q = benjamini_hochberg(p);
  const std::vector<double> fisher_q = benjamini_hochberg(fisher_p);
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    classes_[i].q = q[i];
    classes_[i].fisher_q = fisher_q[i];
  }
}

}  // namespace cdt
