// The summary of cdt-attribute as JSON and as a table.
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "apps/attribute/numbers.h"
#include "apps/common/json_text.h"

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

Json hits_json(const SiteHits& h) {
  return {{"n", h.pairs},
          {"gradient_hits", h.gradient},
          {"gradient_share", share(h.gradient, h.pairs)},
          {"attention_hits", h.attention},
          {"attention_share", share(h.attention, h.pairs)},
          {"random_share", h.random_share}};
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

std::string hits_line(const char* name, const SiteHits& h) {
  if (h.pairs == 0) return text("  %-12s no such pair chosen\n", name);
  return text("  %-12s gradient %lld of %lld (%.1f %%), attention %lld (%.1f %%), random %.1f %%\n",
              name, static_cast<long long>(h.gradient), static_cast<long long>(h.pairs),
              100.0 * share(h.gradient, h.pairs), static_cast<long long>(h.attention),
              100.0 * share(h.attention, h.pairs), 100.0 * h.random_share);
}

std::string method_rows(const Summary& s) {
  const RandomPeaks& r = s.random;
  const MethodSummary& a = s.attention;
  const MethodSummary& g = s.gradient;
  const double error = r.distance_sd_bp / std::sqrt(static_cast<double>(s.pairs));
  return text("%-34s %10s %10s %13s\n", "", "attention", "gradient", "random peaks") +
         text("%-34s %10.1f %10.1f %13.1f +- %.1f\n", "peak to centre, mean kb",
              a.distance_mean_bp / 1e3, g.distance_mean_bp / 1e3, r.distance_mean_bp / 1e3,
              error / 1e3) +
         text("%-34s %10.1f %10.1f %13.1f\n", "peak to centre, median kb",
              a.distance_median_bp / 1e3, g.distance_median_bp / 1e3, r.distance_median_bp / 1e3) +
         text("%-34s %10.1f %10.1f %13.1f\n", "peak within 50 kb, %", 100.0 * a.share_near,
              100.0 * g.share_near, 100.0 * r.share_near) +
         text("%-34s %10.1f %10.1f %13.1f\n", "peak in the outer 5 %, %", 100.0 * a.edge_share,
              100.0 * g.edge_share, 100.0 * r.edge_share) +
         text("%-34s %10.1f %10.1f\n", "effective bins (exp entropy)", a.effective_bins,
              g.effective_bins) +
         text("%-34s %10.2f %10.2f\n", "peak over uniform", a.peak_over_uniform,
              g.peak_over_uniform);
}

}  // namespace

std::string summary_json(const Summary& s, const std::vector<std::string>& tracks) {
  Json out = {
      {"format", "cdt-attribution"},
      {"version", 1},
      {"pairs", s.pairs},
      {"enhancers", s.enhancers},
      {"bins", s.bins},
      {"bin_bp", s.bin_bp},
      {"pairs_with_zero_dna", s.zero_dna},
      {"top", s.top},
      {"attention", method_json(s.attention)},
      {"gradient", method_json(s.gradient)},
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
                            {"causal", hits_json(s.with_effect->causal)},
                            {"decoy", hits_json(s.with_effect->decoy)},
                            {"pairs_without_effect",
                             {{"causal", hits_json(s.without_effect->causal)},
                              {"decoy", hits_json(s.without_effect->decoy)}}}};
  }
  out["tracks"] = tracks;
  return json_text(out);
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
    out += hits_line("causal site", s.with_effect->causal);
    out += hits_line("decoy site", s.with_effect->decoy);
  }
  return out;
}

}  // namespace cdt
