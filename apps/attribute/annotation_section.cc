// --annotations: which annotated elements the peaks hit (annotations.tsv), and whether top bins
// overlap each class more or less often than by chance.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "apps/attribute/sections.h"
#include "apps/common/annotation_files.h"
#include "apps/common/tables.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/stats/enrichment.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr const char* kColumns =
    "\tmethod\trank\tchrom\tstart\tend\tfile\telement\tclass\telement_start\t"
    "element_end\tdistance\n";

constexpr std::size_t kMostLines = 24;  // in the printed table

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
  const std::int64_t start = bin_start(data, enhancer_of(data, pair), 0);
  const std::int64_t end = start + data.bins * data.bin_bp;
  for (const Element* e : list->overlapping(start, end)) {
    const std::vector<std::size_t>& classes = annotations.classes_of_label[e->label];
    if (std::find(classes.begin(), classes.end(), class_index) == classes.end()) continue;
    const std::int64_t first = (std::max(e->start, start) - start) / data.bin_bp;
    const std::int64_t last = (std::min(e->end, end) - 1 - start) / data.bin_bp;
    std::fill(covered.begin() + first, covered.begin() + last + 1, true);
  }
  return covered;
}

/// The numbers of one test, except its q.
ClassEnrichment class_numbers(const Enrichment& e) {
  const CountTable& t = e.table;
  ClassEnrichment out;
  out.top_bins = t.a + t.b;
  out.top_bins_on_class = t.a;
  out.bins = t.a + t.b + t.c + t.d;
  out.bins_on_class = t.a + t.c;
  out.fold = {e.fold, e.fold_interval};
  if (e.fold > 1.0) out.direction = "more";
  if (e.fold < 1.0) out.direction = "fewer";
  out.odds_ratio = e.fisher.odds_ratio;
  out.fisher_p = e.fisher.p_doubled;
  out.fisher_p_two_sided = e.fisher.p_two_sided;
  out.shift = {e.shift.mean_fold, e.shift.test};
  out.other_windows = {e.other.mean_fold, e.other.test};
  out.p = e.weakest;
  return out;
}

class AnnotationSection : public Section {
 public:
  explicit AnnotationSection(const SectionContext& context)
      : Section(context),
        sizes_(context.sizes),
        annotations_(context.annotations),
        options_(context.options.nulls()),
        rows_(context.folder / "annotations.tsv"),
        hits_(methods_.size(), std::vector<Peaks>(annotations_.size())) {
    rows_.write(pair_header(data_) + kColumns);
  }

  void publish() override { rows_.commit(); }

  void finish(AttributionSummary* summary) override {
    rows_.flush_to_disk();
    test_classes();
    AnnotationSummary& out = summary->annotations.emplace();
    out.assembly = data_.assembly;
    out.pairs = pairs_;
    out.zero_dna_left_out = zero_dna_;
    out.enhancers = std::ssize(enhancers_);
    out.permutations = options_.replicates;
    out.seed = options_.seed;
    for (const Annotations& a : annotations_) {
      out.files.push_back({a.name, path_text(a.path), a.elements, a.empty, a.without_class,
                           a.classes, a.assemblies, assembly_doubts(a, data_, sizes_)});
    }
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      ByName<PeakHits>& by_file =
          out.peaks.emplace_back(methods_[m]->name, ByName<PeakHits>{}).second;
      for (std::size_t file = 0; file < annotations_.size(); ++file) {
        const Peaks& h = hits_[m][file];
        by_file.push_back({annotations_[file].name,
                           {{h.peaks, pairs_ - h.peaks},
                            h.on_element,
                            static_cast<double>(h.on_element) / static_cast<double>(h.peaks),
                            mean(h.distances),
                            median(h.distances)}});
      }
    }
    out.enrichment = classes_;
  }

  /// Lists the classes with the smallest q first.
  std::string text() const override {
    if (classes_.empty()) return "annotations: no window with a peak, nothing tested\n";
    std::vector<const ClassEnrichment*> order;
    for (const ClassEnrichment& c : classes_) order.push_back(&c);
    std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return !std::isnan(a->q) && (std::isnan(b->q) || a->q < b->q);
    });
    std::string out = cdt::text("top bins on annotated elements, more or fewer than chance\n");
    out += cdt::text("%-20s %-24s %5s %6s  %-15s %16s %7s\n", "method", "class", "n", "fold",
                     "95 % interval", "two-sided p", "q");
    bool undefined = false;
    for (std::size_t i = 0; i < std::min(order.size(), kMostLines); ++i) {
      const ClassEnrichment& c = *order[i];
      const std::string name = c.file == c.class_name ? c.file : c.file + ": " + c.class_name;
      out += cdt::text("%-20s %-24.60s %5lld ", c.method.c_str(), name.c_str(),
                       static_cast<long long>(c.n)) +
             number_cell(c.fold.value, 6, 2) + "  " + interval_cell(c.fold.interval, 15, 2) + " " +
             p_cell(c.p, 16) + " " + p_cell(c.q, 7) + "\n";
      undefined = undefined || std::isnan(c.fold.value) || !is_defined(c.fold.interval);
    }
    if (order.size() > kMostLines) {
      out += cdt::text("  and %zu more in summary.json\n", order.size() - kMostLines);
    }
    out +=
        "p: the largest of three tests, 1 if they contradict each other; \u00b1 its Monte Carlo "
        "error, \u2264 if no\npermutation was as extreme, otherwise exact (Fisher). Fold below 1: "
        "fewer than by chance.\n";
    if (undefined) {
      out +=
          "-: undefined; a fold needs a class that covers some bins but not all, an interval pairs "
          "of two enhancers\n";
    }
    return out;
  }

 private:
  /// Peaks (highest top bins) of one method against one annotation file.
  struct Peaks {
    std::int64_t peaks = 0, on_element = 0;
    std::vector<double> distances;  // absolute, in bp; of peaks on chromosomes with elements
  };
  /// Top bins of the pairs of one enhancer.
  struct EnhancerTops {
    Pair pair;                   // any of them; gives the window
    std::vector<bool> eligible;  // (L): whether the bin is on the chromosome
    std::vector<std::vector<std::vector<std::int64_t>>>
        tops;  // by method, then by pair with a peak
  };

  void add_pair(const EnhancerResult& result, std::size_t i) override {
    const PairNumbers& numbers = result.numbers[i];
    ++pairs_;
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

  /// Adds a row to annotations.tsv: a top bin with the element it hits, or the nearest one.
  void add_row(const PairNumbers& numbers, std::size_t method, std::size_t rank, std::size_t file) {
    const Annotations& annotations = annotations_[file];
    const Enhancer& e = enhancer_of(data_, numbers.pair);
    const Locus bin = bin_interval(data_, sizes_, numbers.pair, numbers.windows[method].top[rank]);
    const ElementList* list = elements_on(annotations, e.chrom);
    const Element* element =
        list == nullptr || bin.empty() ? nullptr : list->nearest(bin.start, bin.end);
    std::vector<std::string> fields{
        pair_cells(data_, numbers.pair), methods_[method]->name,  std::to_string(rank + 1), e.chrom,
        std::to_string(bin.start),       std::to_string(bin.end), annotations.name};
    std::int64_t distance = 0;
    if (element == nullptr) {
      fields.insert(fields.end(), {".", ".", "nan", "nan", "nan"});
    } else {
      distance = distance_to(*element, bin.start, bin.end);
      fields.insert(fields.end(),
                    {element_name(*element, e.chrom, sizes_.size(e.chrom)),
                     annotations.labels[element->label], std::to_string(element->start),
                     std::to_string(element->end), std::to_string(distance)});
    }
    rows_.write(tab_separated(fields));
    if (rank > 0) return;
    Peaks& hits = hits_[method][file];
    ++hits.peaks;
    if (element == nullptr) return;
    hits.on_element += distance == 0 ? 1 : 0;
    hits.distances.push_back(static_cast<double>(std::llabs(distance)));
  }

  /// One window per enhancer that has a peak of the method; covered: the bins of one class, by
  /// enhancer.
  std::vector<EnrichmentWindow> windows(std::size_t method,
                                        const std::vector<std::vector<bool>>& covered) const {
    std::vector<EnrichmentWindow> out;
    for (std::size_t e = 0; e < enhancers_.size(); ++e) {
      const auto& tops = enhancers_[e].tops[method];
      if (!tops.empty()) out.push_back({enhancers_[e].eligible, covered[e], tops});
    }
    return out;
  }

  /// Tests every class for each method over its defined windows; a method without any has no test.
  void test_classes() {
    const EnrichmentOptions options{.permutations = options_.replicates,
                                    .bootstrap = {.seed = options_.seed},
                                    .seed = options_.seed};
    std::vector<double> p, fisher_p;
    for (std::size_t file = 0; file < annotations_.size(); ++file) {
      const Annotations& a = annotations_[file];
      for (std::size_t c = 0; c < a.classes.size(); ++c) {
        std::vector<std::vector<bool>> covered;
        for (const EnhancerTops& e : enhancers_) {
          covered.push_back(covered_bins(data_, e.pair, a, c));
        }
        for (std::size_t m = 0; m < methods_.size(); ++m) {
          const std::vector<EnrichmentWindow> of_method = windows(m, covered);
          if (of_method.empty()) continue;
          ClassEnrichment& out =
              classes_.emplace_back(class_numbers(enrichment(of_method, options)));
          out.method = methods_[m]->name;
          out.file = a.name;
          out.class_name = a.classes[c];
          out.n = hits_[m][file].peaks;
          p.push_back(out.p.p);
          fisher_p.push_back(std::isnan(out.fold.value) ? out.fold.value : out.fisher_p);
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

  const ChromosomeSizes& sizes_;
  const std::vector<Annotations>& annotations_;
  NullOptions options_;
  AtomicFile rows_;
  std::int64_t pairs_ = 0;
  std::vector<std::vector<Peaks>> hits_;  // by method, then by file
  std::vector<EnhancerTops> enhancers_;
  std::vector<ClassEnrichment> classes_;
};

}  // namespace

std::unique_ptr<Section> make_annotations(const SectionContext& context) {
  return std::make_unique<AnnotationSection>(context);
}

}  // namespace cdt
