// Numbers of all pairs: the base of summary.json and the first tables of the output.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "apps/attribute/sections.h"
#include "apps/attribute/summary.h"
#include "apps/common/tables.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// How often each method's peak is at a planted site.
std::string hits_rows(const PlantedSiteHits& sites) {
  const auto cell = [](const SiteHits& h, std::size_t method) {
    const SiteHits::OfMethod& of = h.methods[method].second;
    if (h.pairs == 0) return std::string("no such site");
    if (of.n == 0) return std::string("no peak");
    return text("%lld of %lld (%.1f %%)", static_cast<long long>(of.hits),
                static_cast<long long>(of.n), 100.0 * of.share());
  };
  const auto row = [](const char* name, const std::string& causal, const std::string& decoy) {
    return text("%-20s  %-20s  %s\n", name, causal.c_str(), decoy.c_str());
  };
  std::string out = text("pairs with a planted effect, peak within %lld bins of the\n",
                         static_cast<long long>(kSiteTolerance));
  if (sites.causal.pairs == 0) return out + "  no such pair was chosen\n";
  out += row("", "causal site", "decoy site");
  for (std::size_t i = 0; i < sites.causal.methods.size(); ++i) {
    out += row(sites.causal.methods[i].first.c_str(), cell(sites.causal, i), cell(sites.decoy, i));
  }
  const auto random = [](const SiteHits& h) {
    return h.pairs == 0 ? "-" : text("%.1f %%", 100.0 * h.random_share);
  };
  return out + row("a random bin", random(sites.causal), random(sites.decoy));
}

/// Where the peaks are, by method; p of the weaker of the two nulls.
std::string peak_rows(const AttributionSummary& s) {
  const RandomPeaks& r = s.random.of;
  std::string out = text("%-20s %6s %7s %14s %7s %7s %9s %7s %7s %7s\n", "peak", "n", "mean kb",
                         "95 % interval", "p", "median", "% <=50 kb", "p", "% edge", "p");
  for (const auto& [name, m] : s.methods) {
    const Interval& bp = m.distance_mean_bp.interval;
    const auto p = [&m = m](NullTest PeakTests::*test) {
      return " " + p_cell(weaker_test(m.uniform.*test, m.shifted.*test).p, 7);
    };
    out += text("%-20s %6lld ", name.c_str(), static_cast<long long>(m.n)) +
           number_cell(m.distance_mean_bp.value / 1e3, 7, 1) + " " +
           interval_cell({bp.low / 1e3, bp.high / 1e3}, 14, 1) + p(&PeakTests::distance_mean_bp) +
           " " + number_cell(m.distance_median_bp.value / 1e3, 7, 1) + " " +
           number_cell(100.0 * m.share_near.value, 9, 1) + p(&PeakTests::share_near) + " " +
           number_cell(100.0 * m.edge_share.value, 7, 1) + p(&PeakTests::edge_share) + "\n";
  }
  return out + text("%-20s %6s %7.1f %14s %7s %7.1f %9.1f %7s %7.1f\n", "a random bin", "",
                    r.distance_mean_bp / 1e3, "", "", r.distance_median_bp / 1e3,
                    100.0 * r.share_near, "", 100.0 * r.edge_share);
}

/// How sharp the windows are.
std::string sharpness_rows(const AttributionSummary& s) {
  std::string out =
      text("%-20s %6s %14s %14s\n", "window", "n", "effective bins", "peak / uniform");
  for (const auto& [name, m] : s.methods) {
    out += text("%-20s %6lld ", name.c_str(), static_cast<long long>(m.n)) +
           number_cell(m.effective_bins.value, 14, 1) + " " +
           number_cell(m.peak_over_uniform.value, 14, 2) + "\n";
  }
  return out;
}

/// How each pair of methods agrees where all bins are top bins: by rank correlation only.
std::string correlation_rows(const AttributionSummary& s) {
  if (s.bins == 1) return "agreement: none, since a window of one bin has no peak\n";
  std::string out = text("%-42s %6s %9s\n", "agreement", "n", "Spearman");
  for (const Agreement& a : s.agreement) {
    const std::string name = a.first + ", " + a.second;
    out += text("%-42s %6lld ", name.c_str(), static_cast<long long>(a.n)) +
           number_cell(a.spearman.value, 9, 3) + "\n";
  }
  return out + text(
                   "All %lld bins of a window are top bins, so it is not counted how many two "
                   "methods share.\n",
                   static_cast<long long>(s.bins));
}

/// Shared top bins of each pair of methods.
std::string agreement_rows(const AttributionSummary& s) {
  if (all_are_top(s.bins)) return correlation_rows(s);
  std::string out = text("%-42s %6s %6s %15s %7s %7s %9s\n",
                         text("top %lld bins shared", static_cast<long long>(s.top)).c_str(), "n",
                         "mean", "95 % interval", "fold", "p", "Spearman");
  for (const Agreement& a : s.agreement) {
    const std::string name = a.first + ", " + a.second;
    out += text("%-42s %6lld ", name.c_str(), static_cast<long long>(a.n)) +
           number_cell(a.overlap.value, 6, 2) + " " + interval_cell(a.overlap.interval, 15, 2) +
           " " + number_cell(a.fold, 7, 2) + " " +
           p_cell(weaker_test(a.hypergeometric, a.shifted).p, 7) + " " +
           number_cell(a.spearman.value, 9, 3) + "\n";
  }
  return out;
}

/// Undefined windows of pairs with DNA, which the rows below exclude: one line per method.
std::string undefined_rows(const AttributionSummary& s) {
  std::string out;
  for (const auto& [name, m] : s.methods) {
    std::string why;
    for (const auto& [state, count] :
         {std::pair(WindowState::kOneBin, m.why.one_bin), std::pair(WindowState::kZero, m.why.zero),
          std::pair(WindowState::kEqual, m.why.equal)}) {
      if (count == 0) continue;
      why += why.empty() ? "of " : ", of ";
      why += number_of(count, "pair") + " " + meaning_of(state);
    }
    if (!why.empty()) {
      out += text("undefined windows (no peak), left out: %s %s\n", name.c_str(), why.c_str());
    }
  }
  return out;
}

/// Which tests the p values above come from, and their Monte Carlo error.
std::string p_line(const AttributionSummary& s) {
  double error = std::nan("");
  const auto add = [&](const NullTest& a, const NullTest& b) {
    error = std::fmax(error, weaker_test(a, b).p_error);
  };
  for (const auto& [name, m] : s.methods) {
    for (const auto test :
         {&PeakTests::distance_mean_bp, &PeakTests::share_near, &PeakTests::edge_share}) {
      add(m.uniform.*test, m.shifted.*test);
    }
  }
  if (!all_are_top(s.bins)) {
    for (const Agreement& a : s.agreement) add(a.hypergeometric, a.shifted);
  }
  std::string out =
      "p: two-sided, the larger of two tests, uniform or hypergeometric (exact) and circular "
      "shifts\n";
  if (std::isnan(error)) return out;
  const double floor = two_sided(1.0 / (1.0 + static_cast<double>(s.null_replicates)), 1.0);
  return out + text(
                   "Monte Carlo error of p: at most %.1g with %lld draws; \u2264 marks the "
                   "smallest p that they can give, %.2g\n",
                   error, static_cast<long long>(s.null_replicates), floor);
}

/// What "-" means in the rows above; empty if there is none.
std::string reasons(const AttributionSummary& s) {
  std::vector<std::string> out;
  const auto add = [&](bool applies, const char* reason) {
    if (applies) out.emplace_back(reason);
  };
  const auto any_method = [&](bool (*is)(const MethodSummary&)) {
    return std::any_of(s.methods.begin(), s.methods.end(),
                       [&](const auto& method) { return is(method.second); });
  };
  add(any_method([](const auto& m) { return !is_defined(m.distance_mean_bp.interval); }),
      "an interval needs pairs of two enhancers with a peak");
  add(any_method([](const auto& m) { return std::isnan(m.shifted.edge_share.p); }),
      "p needs a peak");
  add(s.bins > 1 && std::any_of(s.agreement.begin(), s.agreement.end(),
                                [](const Agreement& a) { return a.n == 0; }),
      "an agreement needs a pair with a peak of both");
  std::string line;
  for (const std::string& reason : out) line += (line.empty() ? "-: undefined; " : ", ") + reason;
  return line.empty() ? line : line + "\n";
}

class SummarySection : public Section {
 public:
  explicit SummarySection(const SectionContext& context) : Section(context) {
    for (const Method* method : methods_) {
      reports_.push_back(method->report == nullptr
                             ? nullptr
                             : method->report(context.options.gradient, context.config));
    }
  }

  void add(const EnhancerResult& result) override {
    numbers_.insert(numbers_.end(), result.numbers.begin(), result.numbers.end());
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      if (!reports_[m]) continue;
      for (const std::vector<double>& of_pair : result.remarks[m]) {
        reports_[m]->add(of_pair, result.zero_dna);
      }
    }
  }

  void finish(AttributionSummary* summary) override {
    summary_ = summarise(numbers_, methods_, data_, context_.truth, context_.options.nulls(),
                         context_.config.readout);
    summary_.fingerprint = context_.fingerprint;
    summary_.chromosome_sizes = known_sizes();
    for (std::size_t i = 0; i < methods_.size(); ++i) {
      MethodSummary& method = summary_.methods[i].second;
      describe_options(*methods_[i], context_.options.gradient, &method);
      if (reports_[i]) reports_[i]->describe(&method);
    }
    *summary = summary_;
  }

  std::string text() const override {
    std::string out = summary_table(summary_);
    for (const auto& report : reports_) out += report ? report->text() : "";
    return out;
  }

  /// Warns about pairs whose gene has no training pairs; a data set without any training pairs
  /// cannot tell.
  std::string warning() const override {
    const std::int64_t untrained = summary_.untrained.value_or(0);
    if (untrained == 0) return "";
    return std::to_string(untrained) + " of " + number_of(summary_.pairs, "explained pair") +
           (untrained == 1 ? " is of a gene" : " are of genes") +
           " without training pairs: an output that was never trained explains nothing "
           "(gene_train_pairs in pairs.tsv)";
  }

 private:
  /// Ends of the data set's chromosomes, where known.
  ByName<std::int64_t> known_sizes() const {
    std::map<std::string, std::int64_t> known;
    for (const Enhancer& e : data_.enhancers) {
      if (const std::int64_t size = context_.sizes.size(e.chrom); size > 0) known[e.chrom] = size;
    }
    return {known.begin(), known.end()};
  }

  std::vector<std::unique_ptr<MethodReport>> reports_;  // by method; null for those without
  std::vector<PairNumbers> numbers_;
  AttributionSummary summary_;
};

}  // namespace

std::string summary_table(const AttributionSummary& s) {
  std::string out = number_of(s.pairs, "pair") + ", " + number_of(s.enhancers, "enhancer") + ", " +
                    number_of(s.bins, "bin") + " of " + std::to_string(s.bin_bp) + " bp\n";
  if (s.zero_dna > 0) {
    out +=
        number_of(s.zero_dna, "pair") +
        (s.zero_dna == 1 ? " has no DNA (all zeros) and is" : " have no DNA (all zeros) and are") +
        " left out below\n";
  }
  out += undefined_rows(s);
  out += peak_rows(s) + sharpness_rows(s) + agreement_rows(s);
  out += p_line(s);
  out += reasons(s);
  if (s.planted_sites) out += hits_rows(*s.planted_sites);
  return out;
}

std::unique_ptr<Section> make_summary(const SectionContext& context) {
  return std::make_unique<SummarySection>(context);
}

}  // namespace cdt
