// --annotations: which annotated elements the peaks hit (annotations.tsv), and whether top bins lie
// on classes of them more or less often than by chance.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
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

using Json = nlohmann::ordered_json;

constexpr const char* kHeader =
    "enhancer\tgene\tmethod\trank\tchrom\tstart\tend\tfile\telement\tclass\telement_start\t"
    "element_end\tdistance\n";

constexpr std::size_t kMostLines = 24;  // of the table

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
    for (std::int64_t bin = first; bin <= last; ++bin) {
      covered[static_cast<std::size_t>(bin)] = true;
    }
  }
  return covered;
}

/// Top bins of one method on the elements of one class.
struct ClassEnrichment {
  std::string method, file, class_name;
  std::int64_t pairs = 0;  // with a peak of the method
  Enrichment numbers;
  double q = 0, fisher_q = 0;  // Benjamini-Hochberg over all methods, files and classes
};

void add_p(Json* out, const ResampledP& p) {
  (*out)["p"] = p.p;
  (*out)["p_monte_carlo_error"] = p.error;
  (*out)["p_at_floor"] = p.at_floor;
}

Json null_json(const PermutationNull& null) {
  Json out = {{"fold", null.mean_fold}};
  add_p(&out, null.test);
  return out;
}

/// Of the fold; null where it is undefined or 1.
Json direction(double fold) {
  if (fold > 1.0) return "more";
  return fold < 1.0 ? Json("fewer") : Json();
}

Json class_json(const ClassEnrichment& c) {
  const Enrichment& e = c.numbers;
  Json out = {{"method", c.method},
              {"file", c.file},
              {"class", c.class_name},
              {"n", c.pairs},
              {"top_bins", e.table.a + e.table.b},
              {"top_bins_on_class", e.table.a},
              {"bins", e.table.a + e.table.b + e.table.c + e.table.d},
              {"bins_on_class", e.table.a + e.table.c},
              {"fold", e.fold},
              {"fold_interval", {e.fold_interval.low, e.fold_interval.high}},
              {"direction", direction(e.fold)},
              {"fisher",
               {{"odds_ratio", e.fisher.odds_ratio},
                {"p", e.fisher.p_doubled},
                {"p_two_sided", e.fisher.p_two_sided},
                {"q", c.fisher_q}}},
              {"circular_shift", null_json(e.shift)},
              {"other_windows", null_json(e.other)}};
  add_p(&out, e.weakest);
  out["q"] = c.q;
  return out;
}

Json file_json(const Annotations& a, const Dataset& data, const ChromosomeSizes& sizes) {
  return {{"name", a.name},
          {"path", path_text(a.path)},
          {"elements", a.elements},
          {"empty_left_out", a.empty},
          {"without_class", a.without_class},
          {"classes", a.classes},
          {"assemblies_named", a.assemblies},
          {"assembly_doubts", assembly_doubts(a, data, sizes)}};
}

class AnnotationSection : public Section {
 public:
  explicit AnnotationSection(const SectionContext& context)
      : data_(context.data),
        sizes_(context.sizes),
        methods_(context.methods),
        annotations_(context.annotations),
        options_(context.options.nulls()),
        rows_(context.folder / "annotations.tsv"),
        hits_(methods_.size(), std::vector<PeakHits>(annotations_.size())) {
    rows_.write(kHeader);
  }

  void add(const EnhancerResult& result) override {
    for (const PairNumbers& numbers : result.numbers) add_pair(numbers);
  }

  void finish(Json* summary) override {
    rows_.commit();
    test_classes();
    Json out = {{"assembly", data_.assembly},
                {"files", Json::array()},
                {"pairs", pairs_},
                {"zero_dna_left_out", without_dna_},
                {"enhancers", enhancers_.size()},
                {"permutations", options_.replicates},
                {"seed", options_.seed},
                {"peaks", Json::object()},
                {"enrichment", Json::array()}};
    for (const Annotations& a : annotations_) out["files"].push_back(file_json(a, data_, sizes_));
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      Json& method = out["peaks"][methods_[m]->name];
      for (std::size_t file = 0; file < annotations_.size(); ++file) {
        const PeakHits& h = hits_[m][file];
        method[annotations_[file].name] = {
            {"n", h.peaks},
            {"undefined", pairs_ - h.peaks},
            {"on_element", h.on_element},
            {"share_on_element", static_cast<double>(h.on_element) / static_cast<double>(h.peaks)},
            {"distance_bp", {{"mean", mean(h.distances)}, {"median", median(h.distances)}}}};
      }
    }
    for (const ClassEnrichment& c : classes_) out["enrichment"].push_back(class_json(c));
    (*summary)["annotations"] = std::move(out);
  }

  /// The classes with the smallest q first.
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
      const Enrichment& e = c.numbers;
      const std::string name = c.file == c.class_name ? c.file : c.file + ": " + c.class_name;
      out += cdt::text("%-20s %-24.60s %5lld ", c.method.c_str(), name.c_str(),
                       static_cast<long long>(c.pairs)) +
             number_cell(e.fold, 6, 2) + "  " + interval_cell(e.fold_interval, 15, 2) + " " +
             p_cell(e.weakest, 16) + " " + p_cell(c.q, 7) + "\n";
      undefined = undefined || std::isnan(e.fold) || !is_defined(e.fold_interval);
    }
    if (order.size() > kMostLines) {
      out += cdt::text("  and %zu more in summary.json\n", order.size() - kMostLines);
    }
    out +=
        "p: the largest of three tests, 1 where they contradict each other; \u00b1 its Monte Carlo "
        "error, "
        "\u2264 where\nno permutation was as extreme; without either exact (Fisher). Folds below "
        "1: "
        "fewer "
        "than chance.\n";
    if (undefined) {
      out +=
          "-: undefined; a fold needs a class that covers some bins and not all, an interval pairs "
          "of two enhancers\n";
    }
    return out;
  }

 private:
  /// The peaks (first top bins) of one method against one file.
  struct PeakHits {
    std::int64_t peaks = 0, on_element = 0;
    std::vector<double> distances;  // absolute, bp; of peaks on chromosomes that have elements
  };
  /// The top bins of the pairs of one enhancer.
  struct EnhancerTops {
    Pair pair;                                                 // any of them, for the window
    std::vector<bool> eligible;                                // (L): on the chromosome
    std::vector<std::vector<std::vector<std::int64_t>>> tops;  // by method, by pair with a peak
  };

  void add_pair(const PairNumbers& numbers) {
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

  /// A row of annotations.tsv: a top bin with the element it hits, or the nearest one.
  void add_row(const PairNumbers& numbers, std::size_t method, std::size_t rank, std::size_t file) {
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
      fields.insert(fields.end(),
                    {element_name(*element, e.chrom, sizes_.size(e.chrom)),
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

  /// For one class: a window per enhancer, its tops left empty.
  std::vector<EnrichmentWindow> windows(std::size_t file, std::size_t class_index) const {
    std::vector<EnrichmentWindow> out;
    for (const EnhancerTops& e : enhancers_) {
      out.push_back({e.eligible, covered_bins(data_, e.pair, annotations_[file], class_index), {}});
    }
    return out;
  }

  /// Those of them with a peak of the method, with its tops.
  std::vector<EnrichmentWindow> windows_of(std::size_t method,
                                           const std::vector<EnrichmentWindow>& all) const {
    std::vector<EnrichmentWindow> out;
    for (std::size_t e = 0; e < all.size(); ++e) {
      const auto& tops = enhancers_[e].tops[method];
      if (!tops.empty()) out.push_back({all[e].eligible, all[e].covered, tops});
    }
    return out;
  }

  /// Of every class, for each method over its defined windows; a method without any has no test.
  void test_classes() {
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

  const Dataset& data_;
  const ChromosomeSizes& sizes_;
  const Methods& methods_;
  const std::vector<Annotations>& annotations_;
  NullOptions options_;
  AtomicFile rows_;
  std::int64_t pairs_ = 0, without_dna_ = 0;
  std::vector<std::vector<PeakHits>> hits_;  // by method, by file
  std::vector<EnhancerTops> enhancers_;
  std::vector<ClassEnrichment> classes_;
};

}  // namespace

std::unique_ptr<Section> make_annotations(const SectionContext& context) {
  return std::make_unique<AnnotationSection>(context);
}

}  // namespace cdt
