// The summary of cdt-attribute as JSON and as a table.
#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "apps/attribute/numbers.h"
#include "apps/common/format.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

Json method_json(const MethodSummary& m) {
  return {{"peak_distance_bp",
           {{"mean", m.distance_mean_bp},
            {"median", m.distance_median_bp},
            {"share_within_50kb", m.share_near}}},
          {"peak_in_outer_5_percent", m.edge_share},
          {"entropy_nats", m.entropy},
          {"effective_bins", m.effective_bins},
          {"peak_over_uniform", m.peak_over_uniform}};
}

/// Expectations under random peaks, with the standard error of a mean over `pairs` of them.
Json random_json(const RandomPeaks& r, std::int64_t pairs) {
  const double root = std::sqrt(static_cast<double>(pairs));
  return {{"peak_distance_bp",
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
    if (!s.chance.empty()) method.update(chance_json(s.chance[i]));
  }
  return out;
}

Json edge_json(const Summary& s) {
  Json out = Json::object();
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    out[s.methods[i]->name] = s.by_method[i].edge_share;
  }
  out["uniform"] = s.random.edge_share;
  return out;
}

Json hits_json(const SiteHits& h, const Methods& methods) {
  Json out = {{"n", h.pairs}};
  for (std::size_t i = 0; i < methods.size(); ++i) {
    out[std::string(methods[i]->name) + "_hits"] = h.hits[i];
    out[std::string(methods[i]->name) + "_share"] = share(h.hits[i], h.pairs);
  }
  out["random_share"] = h.random_share;
  return out;
}

/// How often each method's peak lies at a site.
std::string hits_rows(const TruthSummary& truth, const Methods& methods) {
  const auto cell = [](const SiteHits& h, std::int64_t hits) {
    if (h.pairs == 0) return std::string("no such site");
    return text("%lld of %lld (%.1f %%)", static_cast<long long>(hits),
                static_cast<long long>(h.pairs), 100.0 * share(hits, h.pairs));
  };
  const auto row = [](const char* name, const std::string& causal, const std::string& decoy) {
    return text("%-20s  %-20s  %s\n", name, causal.c_str(), decoy.c_str());
  };
  std::string out = text("pairs with a planted effect, peak within %lld bins of the\n",
                         static_cast<long long>(kSiteTolerance));
  if (truth.causal.pairs == 0) return out + "  no such pair chosen\n";
  out += row("", "causal site", "decoy site");
  for (std::size_t i = 0; i < methods.size(); ++i) {
    out += row(methods[i]->name, cell(truth.causal, truth.causal.hits[i]),
               cell(truth.decoy, truth.decoy.hits[i]));
  }
  const auto random = [](const SiteHits& h) {
    return h.pairs == 0 ? "-" : text("%.1f %%", 100.0 * h.random_share);
  };
  return out + row("a random bin", random(truth.causal), random(truth.decoy));
}

std::int64_t pairs_with_dna(const Summary& s) { return s.pairs - s.zero_dna; }

/// Where the peaks lie, by method, p from the weaker of the two nulls.
std::string peak_rows(const Summary& s) {
  const RandomPeaks& r = s.random;
  std::string out = text("%-20s %7s %15s %7s %9s %9s %7s %9s %7s\n", "peak", "mean kb",
                         "95 % interval", "p", "median kb", "% <=50 kb", "p", "% at edge", "p");
  for (std::size_t i = 0; i < s.chance.size(); ++i) {
    const MethodSummary& m = s.by_method[i];
    const MethodChance& c = s.chance[i];
    const Interval& bp = c.peaks.distance_mean_bp;
    const auto p = [&](NullTest PeakTests::*test) {
      return " " + p_cell(weaker_test(c.uniform.*test, c.shifted.*test).p, 7);
    };
    out += text("%-20s ", s.methods[i]->name) + number_cell(m.distance_mean_bp / 1e3, 7, 1) + " " +
           interval_cell({bp.low / 1e3, bp.high / 1e3}, 15, 1) + p(&PeakTests::distance_mean_bp) +
           " " + number_cell(m.distance_median_bp / 1e3, 9, 1) + " " +
           number_cell(100.0 * m.share_near, 9, 1) + p(&PeakTests::share_near) + " " +
           number_cell(100.0 * m.edge_share, 9, 1) + p(&PeakTests::edge_share) + "\n";
  }
  return out + text("%-20s %7.1f %15s %7s %9.1f %9.1f %7s %9.1f\n", "a random bin",
                    r.distance_mean_bp / 1e3, "", "", r.distance_median_bp / 1e3,
                    100.0 * r.share_near, "", 100.0 * r.edge_share);
}

/// How sharp the windows are.
std::string sharpness_rows(const Summary& s) {
  std::string out = text("%-20s %14s %14s\n", "window", "effective bins", "peak / uniform");
  if (pairs_with_dna(s) == 0) return "";
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    out += text("%-20s ", s.methods[i]->name) + number_cell(s.by_method[i].effective_bins, 14, 1) +
           " " + number_cell(s.by_method[i].peak_over_uniform, 14, 2) + "\n";
  }
  return out;
}

/// The two tops of every two methods.
std::string agreement_rows(const Summary& s) {
  std::string out = text("%-42s %6s %15s %7s %7s %9s\n",
                         text("top %lld bins shared", static_cast<long long>(s.top)).c_str(),
                         "mean", "95 % interval", "fold", "p", "Spearman");
  for (const Agreement& a : s.agreement) {
    const std::string name =
        std::string(s.methods[a.first]->name) + ", " + s.methods[a.second]->name;
    out += text("%-42s ", name.c_str()) + number_cell(a.overlap.mean, 6, 2) + " " +
           interval_cell(a.overlap.interval, 15, 2) + " " +
           number_cell(a.overlap.mean / a.hypergeometric.expectation, 7, 2) + " " +
           p_cell(weaker_test(a.hypergeometric, a.shifted).p, 7) + " " +
           number_cell(a.spearman.mean, 9, 3) + "\n";
  }
  return out;
}

/// Which p stand in the rows above, and what resampling leaves open of them.
std::string p_line(const Summary& s) {
  double error = std::nan("");
  const auto add = [&](const NullTest& a, const NullTest& b) {
    error = std::fmax(error, weaker_test(a, b).p_error);
  };
  for (const MethodChance& c : s.chance) {
    for (const auto test :
         {&PeakTests::distance_mean_bp, &PeakTests::share_near, &PeakTests::edge_share}) {
      add(c.uniform.*test, c.shifted.*test);
    }
  }
  for (const Agreement& a : s.agreement) add(a.hypergeometric, a.shifted);
  std::string out =
      "p: two-sided, the larger of uniform or hypergeometric (exact) and of circular shifts\n";
  if (std::isnan(error)) return out;
  const double floor = two_sided(1.0 / (1.0 + static_cast<double>(s.replicates)), 1.0);
  return out +
         text(
             "Monte Carlo error of p: %.1g at most, of %lld draws; p = %.2g is their least and "
             "means \u2264\n",
             error, static_cast<long long>(s.replicates), floor);
}

/// What "-" stands for in the rows above; empty where none does.
std::string reasons(const Summary& s) {
  std::vector<std::string> out;
  const auto add = [&](bool applies, const char* reason) {
    if (applies) out.emplace_back(reason);
  };
  const auto any_agreement = [&](const std::function<bool(const Agreement&)>& is_undefined) {
    return std::any_of(s.agreement.begin(), s.agreement.end(), is_undefined);
  };
  add(std::any_of(s.chance.begin(), s.chance.end(),
                  [](const MethodChance& c) { return !is_defined(c.peaks.distance_mean_bp); }),
      "an interval needs pairs of two enhancers");
  add(std::any_of(s.chance.begin(), s.chance.end(),
                  [](const MethodChance& c) { return std::isnan(c.shifted.edge_share.p); }),
      "p needs a window of two bins, which can be shifted");
  add(!s.chance.empty() && std::any_of(s.by_method.begin(), s.by_method.end(),
                                       [](const auto& m) { return std::isnan(m.effective_bins); }),
      "windows of zeros have no sharpness");
  add(any_agreement([](const Agreement& a) { return std::isnan(a.spearman.mean); }),
      "a correlation needs scores that differ");
  std::string line;
  for (const std::string& reason : out) line += (line.empty() ? "-: undefined; " : ", ") + reason;
  return line.empty() ? line : line + "\n";
}

}  // namespace

Json summary_json(const Summary& s) {
  Json out = {
      {"format", "cdt-attribution"},
      {"version", 1},
      {"pairs", s.pairs},
      {"enhancers", s.enhancers},
      {"bins", s.bins},
      {"bin_bp", s.bin_bp},
      {"pairs_with_zero_dna", s.zero_dna},
      {"zero_dna_left_out", s.zero_dna},
      {"null_replicates", s.replicates},
      {"top", s.top},
      {"attention", method_json(s.by_method[kAttention])},
      {"gradient", method_json(s.by_method[kGradient])},
      {"methods", methods_json(s)},
      {"top_overlap",
       {{"mean", s.overlap_mean},
        {"share", s.overlap_mean / static_cast<double>(s.top)},
        {"median", s.overlap_median},
        {"min", s.overlap_min},
        {"max", s.overlap_max}}},
      {"distance_between_peaks_bp", {{"mean", s.between_mean_bp}, {"median", s.between_median_bp}}},
      {"random_peaks", random_json(s.random, pairs_with_dna(s))},
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
  out += peak_rows(s) + sharpness_rows(s) + agreement_rows(s);
  out += p_line(s);
  out += reasons(s);
  if (s.with_effect) out += hits_rows(*s.with_effect, s.methods);
  return out;
}

}  // namespace cdt
