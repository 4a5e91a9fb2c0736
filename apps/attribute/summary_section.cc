// The numbers of all pairs: the base of summary.json and the tables that lead the output.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/attribute/sections.h"
#include "apps/attribute/summary.h"
#include "apps/common/tables.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, kWindowStates> kStateKeys{"defined", "zero_dna", "one_bin",
                                                            "zero", "equal"};

std::int64_t undefined_of(const MethodSummary& m) {
  return std::accumulate(m.states.begin() + 1, m.states.end(), std::int64_t{0});
}

Json method_json(const MethodSummary& m) {
  Json why = Json::object();
  for (std::size_t state = 1; state < kWindowStates; ++state) {
    why[kStateKeys[state]] = m.states[state];
  }
  return {{"n", m.n},
          {"undefined", undefined_of(m)},
          {"undefined_why", why},
          {"peak_distance_bp",
           {{"mean", m.peaks.distance_mean_bp},
            {"median", m.peaks.distance_median_bp},
            {"share_within_50kb", m.peaks.share_near}}},
          {"peak_in_outer_5_percent", m.peaks.edge_share},
          {"entropy_nats", m.entropy.mean},
          {"effective_bins", m.effective_bins.mean},
          {"peak_over_uniform", m.peak_over_uniform.mean}};
}

Json interval_json(const Interval& interval) { return {interval.low, interval.high}; }

Json test_json(const NullTest& test) {
  return {{"expectation", test.expectation},
          {"standard_deviation", test.deviation},
          {"interval_95", {test.low, test.high}},
          {"p", test.p},
          {"p_monte_carlo_error", test.p_error},
          {"p_at_floor", test.at_floor},
          {"z", test.z},
          {"effect_size", test.observed / test.expectation}};
}

Json peaks_json(const PeakTests& tests) {
  return {{"peak_distance_bp",
           {{"mean", test_json(tests.distance_mean_bp)},
            {"median", test_json(tests.distance_median_bp)},
            {"share_within_50kb", test_json(tests.share_near)}}},
          {"peak_in_outer_5_percent", test_json(tests.edge_share)}};
}

Json mean_json(const MeanInterval& m) {
  return {{"mean", m.mean}, {"interval_95", interval_json(m.interval)}};
}

Json chance_json(const MethodSummary& m) {
  return {
      {"interval_95",
       {{"peak_distance_bp",
         {{"mean", interval_json(m.intervals.distance_mean_bp)},
          {"median", interval_json(m.intervals.distance_median_bp)},
          {"share_within_50kb", interval_json(m.intervals.share_near)}}},
        {"peak_in_outer_5_percent", interval_json(m.intervals.edge_share)},
        {"entropy_nats", interval_json(m.entropy.interval)},
        {"effective_bins", interval_json(m.effective_bins.interval)},
        {"peak_over_uniform", interval_json(m.peak_over_uniform.interval)}}},
      {"null", {{"uniform", peaks_json(m.uniform)}, {"circular_shift", peaks_json(m.shifted)}}}};
}

Json agreements_json(const std::vector<Agreement>& agreements, const Methods& methods,
                     std::int64_t top) {
  Json out = Json::array();
  for (const Agreement& a : agreements) {
    Json overlap = mean_json(a.overlap);
    overlap["share"] = a.overlap.mean / static_cast<double>(top);
    overlap["fold"] = a.overlap.mean / a.hypergeometric.expectation;
    overlap["hypergeometric"] = test_json(a.hypergeometric);
    overlap["circular_shift"] = test_json(a.shifted);
    out.push_back({{"first", methods[a.first]->name},
                   {"second", methods[a.second]->name},
                   {"n", a.n},
                   {"undefined", a.undefined},
                   {"top_overlap", overlap},
                   {"pearson", mean_json(a.pearson)},
                   {"spearman", mean_json(a.spearman)},
                   {"distance_between_peaks_bp", mean_json(a.between_bp)}});
  }
  return out;
}

/// Expectations under random peaks, with the standard error of a mean over `pairs` of them, which
/// are those with a peak of both attention and gradient.
Json random_json(const RandomPeaks& r, std::int64_t pairs) {
  const double root = std::sqrt(static_cast<double>(pairs));
  return {{"n", pairs},
          {"peak_distance_bp",
           {{"mean", r.distance_mean_bp},
            {"mean_standard_error", r.distance_sd_bp / root},
            {"median", r.distance_median_bp},
            {"share_within_50kb", r.share_near}}},
          {"peak_in_outer_5_percent", r.edge_share},
          {"top_overlap", {{"mean", r.overlap_mean}, {"mean_standard_error", r.overlap_sd / root}}},
          {"distance_between_peaks_bp",
           {{"mean", r.between_mean_bp}, {"median", r.between_median_bp}}}};
}

double share(std::int64_t count, std::int64_t of) {
  return static_cast<double>(count) / static_cast<double>(of);
}

Json methods_json(const Summary& s) {
  Json out = Json::object();
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    Json& method = out[s.methods[i]->name];
    method = {{"meaning", s.methods[i]->meaning}, {"signed", s.methods[i]->is_signed}};
    method.update(method_json(s.by_method[i]));
    method.update(chance_json(s.by_method[i]));
  }
  return out;
}

Json edge_json(const Summary& s) {
  Json out = Json::object();
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    out[s.methods[i]->name] = s.by_method[i].peaks.edge_share;
  }
  out["uniform"] = s.random.edge_share;
  return out;
}

Json hits_json(const SiteHits& h, const Methods& methods) {
  Json out = {{"n", h.pairs}};
  for (std::size_t i = 0; i < methods.size(); ++i) {
    const std::string name = methods[i]->name;
    out[name + "_n"] = h.n[i];
    out[name + "_hits"] = h.hits[i];
    out[name + "_share"] = share(h.hits[i], h.n[i]);
  }
  out["random_share"] = h.random_share;
  return out;
}

/// How often each method's peak lies at a site.
std::string hits_rows(const TruthSummary& truth, const Methods& methods) {
  const auto cell = [](const SiteHits& h, std::size_t method) {
    if (h.pairs == 0) return std::string("no such site");
    if (h.n[method] == 0) return std::string("no peak");
    return text("%lld of %lld (%.1f %%)", static_cast<long long>(h.hits[method]),
                static_cast<long long>(h.n[method]), 100.0 * share(h.hits[method], h.n[method]));
  };
  const auto row = [](const char* name, const std::string& causal, const std::string& decoy) {
    return text("%-20s  %-20s  %s\n", name, causal.c_str(), decoy.c_str());
  };
  std::string out = text("pairs with a planted effect, peak within %lld bins of the\n",
                         static_cast<long long>(kSiteTolerance));
  if (truth.causal.pairs == 0) return out + "  no such pair chosen\n";
  out += row("", "causal site", "decoy site");
  for (std::size_t i = 0; i < methods.size(); ++i) {
    out += row(methods[i]->name, cell(truth.causal, i), cell(truth.decoy, i));
  }
  const auto random = [](const SiteHits& h) {
    return h.pairs == 0 ? "-" : text("%.1f %%", 100.0 * h.random_share);
  };
  return out + row("a random bin", random(truth.causal), random(truth.decoy));
}

/// Where the peaks lie, by method, p from the weaker of the two nulls.
std::string peak_rows(const Summary& s) {
  const RandomPeaks& r = s.random;
  std::string out = text("%-20s %6s %7s %14s %7s %7s %9s %7s %7s %7s\n", "peak", "n", "mean kb",
                         "95 % interval", "p", "median", "% <=50 kb", "p", "% edge", "p");
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    const MethodSummary& m = s.by_method[i];
    const Interval& bp = m.intervals.distance_mean_bp;
    const auto p = [&](NullTest PeakTests::*test) {
      return " " + p_cell(weaker_test(m.uniform.*test, m.shifted.*test).p, 7);
    };
    out += text("%-20s %6lld ", s.methods[i]->name, static_cast<long long>(m.n)) +
           number_cell(m.peaks.distance_mean_bp / 1e3, 7, 1) + " " +
           interval_cell({bp.low / 1e3, bp.high / 1e3}, 14, 1) + p(&PeakTests::distance_mean_bp) +
           " " + number_cell(m.peaks.distance_median_bp / 1e3, 7, 1) + " " +
           number_cell(100.0 * m.peaks.share_near, 9, 1) + p(&PeakTests::share_near) + " " +
           number_cell(100.0 * m.peaks.edge_share, 7, 1) + p(&PeakTests::edge_share) + "\n";
  }
  return out + text("%-20s %6s %7.1f %14s %7s %7.1f %9.1f %7s %7.1f\n", "a random bin", "",
                    r.distance_mean_bp / 1e3, "", "", r.distance_median_bp / 1e3,
                    100.0 * r.share_near, "", 100.0 * r.edge_share);
}

/// How sharp the windows are.
std::string sharpness_rows(const Summary& s) {
  std::string out =
      text("%-20s %6s %14s %14s\n", "window", "n", "effective bins", "peak / uniform");
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    out += text("%-20s %6lld ", s.methods[i]->name, static_cast<long long>(s.by_method[i].n)) +
           number_cell(s.by_method[i].effective_bins.mean, 14, 1) + " " +
           number_cell(s.by_method[i].peak_over_uniform.mean, 14, 2) + "\n";
  }
  return out;
}

/// The two tops of every two methods.
std::string agreement_rows(const Summary& s) {
  std::string out = text("%-42s %6s %6s %15s %7s %7s %9s\n",
                         text("top %lld bins shared", static_cast<long long>(s.top)).c_str(), "n",
                         "mean", "95 % interval", "fold", "p", "Spearman");
  for (const Agreement& a : s.agreement) {
    const std::string name =
        std::string(s.methods[a.first]->name) + ", " + s.methods[a.second]->name;
    out += text("%-42s %6lld ", name.c_str(), static_cast<long long>(a.n)) +
           number_cell(a.overlap.mean, 6, 2) + " " + interval_cell(a.overlap.interval, 15, 2) +
           " " + number_cell(a.overlap.mean / a.hypergeometric.expectation, 7, 2) + " " +
           p_cell(weaker_test(a.hypergeometric, a.shifted).p, 7) + " " +
           number_cell(a.spearman.mean, 9, 3) + "\n";
  }
  return out;
}

/// The windows that are in none of the rows below though their pairs have DNA: a line per method.
std::string undefined_rows(const Summary& s) {
  std::string out;
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    std::string why;
    for (const WindowState state :
         {WindowState::kOneBin, WindowState::kZero, WindowState::kEqual}) {
      const std::int64_t count = s.by_method[i].states[static_cast<std::size_t>(state)];
      if (count == 0) continue;
      why += why.empty() ? "of " : ", of ";
      why += number_of(count, "pair") + " " + meaning_of(state);
    }
    if (!why.empty()) {
      out += text("undefined, without a peak, left out: %s %s\n", s.methods[i]->name, why.c_str());
    }
  }
  return out;
}

/// Which p stand in the rows above, and what resampling leaves open of them.
std::string p_line(const Summary& s) {
  double error = std::nan("");
  const auto add = [&](const NullTest& a, const NullTest& b) {
    error = std::fmax(error, weaker_test(a, b).p_error);
  };
  for (const MethodSummary& m : s.by_method) {
    for (const auto test :
         {&PeakTests::distance_mean_bp, &PeakTests::share_near, &PeakTests::edge_share}) {
      add(m.uniform.*test, m.shifted.*test);
    }
  }
  for (const Agreement& a : s.agreement) add(a.hypergeometric, a.shifted);
  std::string out =
      "p: two-sided, the larger of uniform or hypergeometric (exact) and of circular shifts\n";
  if (std::isnan(error)) return out;
  const double floor = two_sided(1.0 / (1.0 + static_cast<double>(s.replicates)), 1.0);
  return out +
         text(
             "Monte Carlo error of p: %.1g at most, of %lld draws; %.2g is the smallest p they can "
             "give: read it as \u2264\n",
             error, static_cast<long long>(s.replicates), floor);
}

/// What "-" stands for in the rows above; empty where none does.
std::string reasons(const Summary& s) {
  const auto any_method = [&](auto is_so) {
    return std::any_of(s.by_method.begin(), s.by_method.end(), is_so);
  };
  std::string line;
  const auto add = [&](bool applies, const char* reason) {
    if (applies) line += (line.empty() ? "-: undefined; " : ", ") + std::string(reason);
  };
  add(any_method([](const auto& m) { return !is_defined(m.intervals.distance_mean_bp); }),
      "an interval needs pairs of two enhancers with a peak");
  add(any_method([](const auto& m) { return std::isnan(m.shifted.edge_share.p); }),
      "p needs a peak");
  add(std::any_of(s.agreement.begin(), s.agreement.end(), [](const auto& a) { return a.n == 0; }),
      "an agreement needs a pair with a peak of both");
  return line.empty() ? line : line + "\n";
}

class SummarySection : public Section {
 public:
  explicit SummarySection(const SectionContext& context) : context_(context) {}

  void add(const EnhancerResult& result) override {
    numbers_.insert(numbers_.end(), result.numbers.begin(), result.numbers.end());
  }

  void finish(Json* summary) override {
    summary_ = summarise(numbers_, context_.methods, context_.data, context_.truth,
                         context_.options.nulls());
    *summary = summary_json(summary_);
    (*summary)["chromosome_sizes"] = known_sizes();
    for (std::size_t i = 0; i < context_.methods.size(); ++i) {
      context_.scorers[i]->describe(&(*summary)["methods"][context_.methods[i]->name]);
    }
  }

  std::string text() const override {
    std::string out = summary_table(summary_);
    for (const auto& scorer : context_.scorers) out += scorer->text();
    return out;
  }

  /// Of pairs whose gene has no training pairs; nothing is known of a data set that has none at
  /// all.
  std::string warning() const override {
    const std::int64_t untrained = summary_.untrained.value_or(0);
    if (untrained == 0) return "";
    return std::to_string(untrained) + " of " + number_of(summary_.pairs, "explained pair") +
           (untrained == 1 ? " is of a gene" : " are of genes") +
           " without training pairs: an output that was never trained explains nothing "
           "(gene_train_pairs in pairs.tsv)";
  }

 private:
  /// The ends of the data set's chromosomes, as far as they are known.
  Json known_sizes() const {
    std::map<std::string, std::int64_t> known;
    for (const Enhancer& e : context_.data.enhancers) {
      if (const std::int64_t size = context_.sizes.size(e.chrom); size > 0) known[e.chrom] = size;
    }
    return Json(known);
  }

  SectionContext context_;
  std::vector<PairNumbers> numbers_;
  Summary summary_;
};

}  // namespace

Json summary_json(const Summary& s) {
  const Agreement& defaults = s.agreement.front();
  Json out = {{"format", "cdt-attribution"},
              {"version", 1},
              {"pairs", s.pairs},
              {"enhancers", s.enhancers},
              {"bins", s.bins},
              {"bin_bp", s.bin_bp},
              {"pairs_with_zero_dna", s.zero_dna},
              {"pairs_of_untrained_genes", s.untrained ? Json(*s.untrained) : Json()},
              {"zero_dna_left_out", s.zero_dna},
              {"null_replicates", s.replicates},
              {"top", s.top},
              {"attention", method_json(s.by_method[kAttention])},
              {"gradient", method_json(s.by_method[kGradient])},
              {"methods", methods_json(s)},
              {"top_overlap",
               {{"n", defaults.n},
                {"mean", defaults.overlap.mean},
                {"share", defaults.overlap.mean / static_cast<double>(s.top)},
                {"median", defaults.overlap.median},
                {"min", defaults.n > 0 ? Json(defaults.overlap_min) : Json()},
                {"max", defaults.n > 0 ? Json(defaults.overlap_max) : Json()}}},
              {"distance_between_peaks_bp",
               {{"n", defaults.n},
                {"mean", defaults.between_bp.mean},
                {"median", defaults.between_bp.median}}},
              {"random_peaks", random_json(s.random, defaults.n)},
              {"edge_share", edge_json(s)},
              {"agreement", agreements_json(s.agreement, s.methods, s.top)}};
  if (s.with_effect && s.without_effect) {
    out["planted_sites"] = {{"tolerance_bins", kSiteTolerance},
                            {"causal", hits_json(s.with_effect->causal, s.methods)},
                            {"decoy", hits_json(s.with_effect->decoy, s.methods)},
                            {"pairs_without_effect",
                             {{"causal", hits_json(s.without_effect->causal, s.methods)},
                              {"decoy", hits_json(s.without_effect->decoy, s.methods)}}}};
  }
  return out;
}

std::string summary_table(const Summary& s) {
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
  if (s.with_effect) out += hits_rows(*s.with_effect, s.methods);
  return out;
}

std::unique_ptr<Section> make_summary(const SectionContext& context) {
  return std::make_unique<SummarySection>(context);
}

}  // namespace cdt
