// How well each method finds what was planted, where the truth is known.
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "io/text.h"

namespace cdt {
namespace {

/// Shares of pairs whose peak lies at a site, as summary.json's planted_sites has them.
struct Hits {
  std::string method;
  double causal = 0, decoy = 0;
};

std::vector<Hits> hits_of(const Attribution& attribution) {
  std::vector<Hits> out;
  for (const MethodScores& method : attribution.methods) {
    const std::string share = "." + method.name + "_share";
    const Hits hits{method.name, number_at(attribution.summary, "planted_sites.causal" + share),
                    number_at(attribution.summary, "planted_sites.decoy" + share)};
    if (std::isfinite(hits.causal) && std::isfinite(hits.decoy)) out.push_back(hits);
  }
  return out;
}

void describe(Plot& plot, const std::vector<Hits>& hits, double chance) {
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    rows.push_back({-static_cast<double>(i), 100.0 * hits[i].causal, 100.0 * hits[i].decoy});
    // Method names are ours: letters and underscores.
    plot.run("set label '" + hits[i].method + "' at graph 0, first " +
             format_number(rows.back()[0]) + " right offset -1,0 textcolor " + rgb(Ink::kText));
  }
  const std::string data = plot.data(rows);
  plot.run("set border 1").run("unset ytics").run("unset grid");
  plot.run("set grid xtics linetype 1 linecolor " + rgb(Ink::kGrid));
  plot.run("set lmargin 20").run("set rmargin 3").run("set tmargin 1");
  plot.run("set xrange [0:100]").run("set xlabel 'peak at the site, % of pairs'");
  plot.run("set yrange [" + format_number(0.4 - static_cast<double>(hits.size())) + ":0.6]");
  const std::string x = format_number(100.0 * chance);
  plot.run("set arrow from " + x + ", graph 0 to " + x +
           ", graph 1 nohead dashtype (6,4) linewidth 1.2 linecolor " + rgb(Ink::kMuted));
  plot.run("plot " + data + " using 3:1:($2-$3):(0) with vectors nohead linewidth 2 linecolor " +
           rgb(Ink::kGrid) + ", " + data +
           " using 2:1 with points pointtype 7 pointsize 1.2 linecolor " + rgb(Ink::kGreen) + ", " +
           data + " using 3:1 with points pointtype 7 pointsize 1.2 linecolor " + rgb(Ink::kRed));
}

}  // namespace

Item truth_figure(const Gnuplot& gnuplot, const Material& material) {
  const Html title = "Do the methods find what was planted?";
  if (!material.attribution)
    return Omission{title, "No attribution was given.", attribute_command(material)};
  const std::vector<Hits> hits = hits_of(*material.attribution);
  if (hits.empty())
    return Omission{title, "No attributed pair has a planted effect.", attribute_command(material)};
  const nlohmann::json& summary = material.attribution->summary;
  const double chance = number_at(summary, "planted_sites.causal.random_share");
  const int height = 80 + 30 * static_cast<int>(hits.size());
  Figure figure;
  figure.title = title;
  figure.picture = draw_both(gnuplot, "Share of peaks at causal and decoy sites by method",
                             {height, height}, [&](Plot& plot) { describe(plot, hits, chance); });
  figure.legend = {{Ink::kGreen, "dot", "at the site that acts"},
                   {Ink::kRed, "dot", "at the decoy, which looks alike and does nothing"},
                   {Ink::kMuted, "dashes", "a random bin, " + percent(chance)}};
  figure.reading =
      "A method that explains the prediction has its green dot far right and its red dot left of "
      "the line.";
  figure.finding =
      counted(static_cast<std::int64_t>(number_at(summary, "planted_sites.causal.n")), "pair") +
      " have a planted effect; a peak counts within " +
      std::to_string(static_cast<int>(number_at(summary, "planted_sites.tolerance_bins"))) +
      " bins of a site.";
  figure.command = attribute_command(material);
  return figure;
}

}  // namespace cdt
