// The summary of cdt-attribute as JSON and as a table.
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/attribute/numbers.h"

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
  }
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

/// printf into a string.
__attribute__((format(printf, 1, 2))) std::string text(const char* format, ...) {
  char buffer[256];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::string hits_line(const char* name, const SiteHits& h, const Methods& methods) {
  if (h.pairs == 0) return text("  %-12s no such pair chosen\n", name);
  std::string out = text("  %-12s", name);
  for (std::size_t i = 0; i < methods.size(); ++i) {
    out += text(" %s %lld of %lld (%.1f %%),", methods[i]->name, static_cast<long long>(h.hits[i]),
                static_cast<long long>(h.pairs), 100.0 * share(h.hits[i], h.pairs));
  }
  return out + text(" by chance %.1f %%\n", 100.0 * h.random_share);
}

std::string method_rows(const Summary& s) {
  const RandomPeaks& r = s.random;
  const double error = r.distance_sd_bp / std::sqrt(static_cast<double>(s.pairs));
  std::string out = text("%-22s %9s %9s %9s %9s %9s %9s\n", "peak", "mean kb", "median kb",
                         "% <=50 kb", "% at edge", "eff. bins", "/uniform");
  for (std::size_t i = 0; i < s.methods.size(); ++i) {
    const MethodSummary& m = s.by_method[i];
    out += text("%-22s %9.1f %9.1f %9.1f %9.1f %9.1f %9.2f\n", s.methods[i]->name,
                m.distance_mean_bp / 1e3, m.distance_median_bp / 1e3, 100.0 * m.share_near,
                100.0 * m.edge_share, m.effective_bins, m.peak_over_uniform);
  }
  return out + text("%-22s %9.1f %9.1f %9.1f %9.1f   (mean +- %.1f)\n", "a random bin",
                    r.distance_mean_bp / 1e3, r.distance_median_bp / 1e3, 100.0 * r.share_near,
                    100.0 * r.edge_share, error / 1e3);
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
      {"random_peaks", random_json(s.random, s.pairs)}};
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
  std::string out = text("%lld pairs, %lld enhancers, %lld bins of %lld bp\n",
                         static_cast<long long>(s.pairs), static_cast<long long>(s.enhancers),
                         static_cast<long long>(s.bins), static_cast<long long>(s.bin_bp));
  out += method_rows(s);
  out += text("top %lld bins shared by both: mean %.2f, median %g (random %.2f +- %.2f)\n",
              static_cast<long long>(s.top), s.overlap_mean, s.overlap_median,
              s.random.overlap_mean, s.random.overlap_sd / std::sqrt(static_cast<double>(s.pairs)));
  out += text("attention peak to gradient peak: mean %.1f kb, median %.1f kb (random %.1f, %.1f)\n",
              s.between_mean_bp / 1e3, s.between_median_bp / 1e3, s.random.between_mean_bp / 1e3,
              s.random.between_median_bp / 1e3);
  if (s.zero_dna > 0) {
    out += text("%lld pairs have no DNA (all zeros): their attention is uniform\n",
                static_cast<long long>(s.zero_dna));
  }
  if (s.with_effect) {
    out += text("pairs with a planted effect, peak within %lld bins of the\n",
                static_cast<long long>(kSiteTolerance));
    out += hits_line("causal site", s.with_effect->causal, s.methods);
    out += hits_line("decoy site", s.with_effect->decoy, s.methods);
  }
  return out;
}

}  // namespace cdt
