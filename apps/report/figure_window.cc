// Attention and gradient windows of one pair along the genome, like the paper's Figures 4B and 5.
#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/evaluation/claims.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "apps/report/window_classes.h"
#include "io/format/text.h"
#include "io/genome/locus.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

constexpr std::size_t kMostClasses = 60;  // rows of elements under a window
constexpr int kClassPixels = 14;          // of a row

/// One window: for each bin, its left edge in kb from the centre and its score relative to uniform.
struct Window {
  Rows steps;
  WindowState state = WindowState::kDefined;
  // Only for a defined window.
  std::vector<double> top_kb;  // middles of the top bins; empty if all bins are
  std::int64_t peak = 0;
  double peak_over_uniform = 0;
};

struct PairView {
  Window attention, gradient;
  std::vector<ElementClass> classes;  // drawn
  std::size_t classes_left_out = 0;
  std::optional<TruthSites> sites;  // as they are for the gene
  double from_kb = 0, to_kb = 0, bin_kb = 0;
  double centre_mb = 0;
  std::vector<double> ends_kb;  // ends of the chromosome inside the window
};

Window make_window(const std::vector<float>& profile, const Dataset& data) {
  Window out;
  double sum = 0;
  for (const float score : profile) sum += score;
  const double uniform = sum / static_cast<double>(data.bins);
  for (std::int64_t bin = 0; bin < data.bins; ++bin) {
    const double score = uniform > 0 ? profile[static_cast<std::size_t>(bin)] / uniform : 0.0;
    out.steps.push_back({offset_kb(data, bin), score});
    out.steps.push_back({offset_kb(data, bin + 1), score});
  }
  out.state = window_state(profile);
  if (out.state != WindowState::kDefined) return out;
  if (!all_are_top(data.bins)) {
    for (const std::int64_t bin : top_bins(profile, kTopBins)) {
      out.top_kb.push_back((offset_kb(data, bin) + offset_kb(data, bin + 1)) / 2.0);
    }
  }
  out.peak = peak_bin(profile);
  out.peak_over_uniform = out.steps[2 * static_cast<std::size_t>(out.peak)][1];
  return out;
}

PairView make_view(const Material& material, const AttributedPair& pair) {
  const Dataset& data = material.data;
  const Attribution& attribution = *material.attribution;
  const Enhancer& enhancer = enhancer_of(data, pair.enhancer);
  PairView view;
  view.attention = make_window(attribution.find("attention")->profile(pair), data);
  view.gradient = make_window(attribution.find("gradient")->profile(pair), data);
  const std::int64_t from = offset_bp(0, data.bins, data.bin_bp);
  const std::int64_t to = offset_bp(data.bins, data.bins, data.bin_bp);
  view.from_kb = offset_kb(data, 0);
  view.to_kb = offset_kb(data, data.bins);
  view.bin_kb = static_cast<double>(data.bin_bp) / 1e3;
  view.centre_mb = static_cast<double>(enhancer.centre()) / 1e6;
  const Locus part =
      on_chromosome({enhancer.chrom, enhancer.centre() + from, enhancer.centre() + to, ""},
                    chromosome_end(material, enhancer.chrom));
  for (const std::int64_t end : {part.start - enhancer.centre(), part.end - enhancer.centre()}) {
    if (from < end && end < to) view.ends_kb.push_back(static_cast<double>(end) / 1e3);
  }
  view.classes = classes_in(material, enhancer, enhancer.centre() + from, enhancer.centre() + to);
  if (view.classes.size() > kMostClasses) {
    view.classes_left_out = view.classes.size() - kMostClasses;
    view.classes.resize(kMostClasses);
  }
  if (material.truth) {
    view.sites =
        material.truth->sites_for(enhancer.name, data.genes[static_cast<std::size_t>(pair.gene)]);
  }
  return view;
}

/// Shades the interval between two positions in kb over the full height of a panel.
void shade(Plot& plot, double left, double right, Ink ink, double opacity) {
  plot.run("set object rectangle from " + format_number(left) + ", graph 0 to " +
           format_number(right) + ", graph 1 behind fillstyle solid noborder fillcolor " +
           rgb(ink, opacity));
}

/// Shades the planted bins.
void shade_bins(Plot& plot, const PairView& view, const std::vector<std::int64_t>& bins, Ink ink) {
  for (const std::int64_t bin : bins) {
    const double left = view.from_kb + static_cast<double>(bin) * view.bin_kb;
    shade(plot, left, left + view.bin_kb, ink, 0.30);
  }
}

void window_panel(Plot& plot, const Window& window, const std::string& label, Ink ink) {
  const std::string steps = plot.data(window.steps);
  const bool peak_is_left = 2 * window.peak < static_cast<std::int64_t>(window.steps.size() / 2);
  plot.run("set label 1 '" + plain(label) + "' at graph " +
           (peak_is_left ? "0.988, graph 0.9 right" : "0.012, graph 0.9 left") +
           " front textcolor " + rgb(ink));
  plot.axis("y", Extent{1.0}.add(window.steps, 1),
            {.most_ticks = 4.0, .from_zero = true, .to_ticks = true});
  plot.run("unset arrow");
  const std::string tick = ", graph -0.055 nohead linewidth 1.5 linecolor " + rgb(ink);
  for (const double kb : window.top_kb) {
    std::string arrow = "set arrow from ";
    const std::string x = format_number(kb);
    arrow.append(x).append(", graph 0 to ").append(x).append(tick);
    plot.run(arrow);
  }
  plot.draw({steps + " using 1:2 with filledcurves y1=0 fillcolor " + rgb(ink, 0.30),
             steps + " using 1:2 with lines linewidth 1.5 linecolor " + rgb(ink),
             "1 with lines dashtype (4,4) linewidth 1 linecolor " + rgb(Ink::kMuted)});
}

/// Draws the axis of chromosome positions above the windows, with at most `most` round steps.
void position_axis(Plot& plot, const PairView& view, double most) {
  const double step = round_step((view.to_kb - view.from_kb) / 1e3, most);
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  const std::string centre = format_number(view.centre_mb);
  plot.run("set link x2 via " + centre + "+x/1000.0 inverse (x-" + centre + ")*1000.0");
  plot.run("set format x2 '%." + std::to_string(decimals) + "f'");
  plot.run("set x2tics " + format_number(step) + " out scale 0.5 textcolor " + rgb(Ink::kMuted));
  plot.run("set x2label 'Mb' offset 0,-0.6 textcolor " + rgb(Ink::kMuted));
  plot.run("set border 7 linecolor " + rgb(Ink::kMuted));
}

/// Height of the rows of classes.
int class_pixels(const PairView& view) {
  return view.classes.empty() ? 0 : 14 + kClassPixels * static_cast<int>(view.classes.size());
}

void describe(Plot& plot, const PairView& view) {
  const double height = plot.canvas().height;
  const double foot = 58.0 / height;
  const double elements =
      view.classes.empty() ? 0.0 : static_cast<double>(class_pixels(view)) / height;
  const double head = 1.0 - 50.0 / height;
  const double gap = 16.0 / height;
  const double panel = (head - foot - elements - gap) / 2.0;
  const bool narrow = plot.canvas().narrow;
  plot.run("set multiplot").sides(narrow ? 0.15 : 0.08, narrow ? 0.93 : 0.97);
  plot.axis("x", {view.from_kb, view.to_kb}, {.most_ticks = narrow ? 5.0 : 9.0});
  plot.run("set xtics scale 0").run("set format x ''");
  if (view.sites) {
    shade_bins(plot, view, view.sites->causal, Ink::kGreen);
    shade_bins(plot, view, view.sites->decoy, Ink::kNull);
  }
  const double line = 0.0015 * (view.to_kb - view.from_kb);
  for (const double end : view.ends_kb) shade(plot, end - line, end + line, Ink::kText, 1.0);
  position_axis(plot, view, narrow ? 4.0 : 7.0);
  plot.heights(head - panel, head);
  window_panel(plot, view.attention, "attention", Ink::kBlue);
  plot.run("unset x2tics").run("unset x2label").run("set border 3");
  plot.heights(head - 2.0 * panel - gap, head - panel - gap);
  const std::string axis =
      "set xlabel 'kb from the centre of the enhancer' offset 0,0.3; set format x '%g'";
  if (view.classes.empty()) plot.run(axis);
  window_panel(plot, view.gradient, "gradient", Ink::kOrange);
  if (!view.classes.empty()) {
    plot.run("unset object").run("unset arrow").run("unset label").run(axis);
    plot.heights(foot, foot + elements - 6.0 / height);
    draw_classes(plot, view.classes);
  }
  plot.run("unset multiplot");
}

Html peak_text(const char* method, const Window& window, const Enhancer& enhancer,
               const Material& material) {
  const Dataset& data = material.data;
  const std::int64_t offset = offset_bp(window.peak, data.bins, data.bin_bp);
  if (window.state != WindowState::kDefined) {
    return Html(method) + " has no peak: undefined, as the window " + meaning_of(window.state) +
           ". ";
  }
  const std::int64_t start = enhancer.centre() + offset;
  const Locus bin = on_chromosome({enhancer.chrom, start, start + data.bin_bp, ""},
                                  chromosome_end(material, enhancer.chrom));
  return Html(method) + " peaks at " + (offset >= 0 ? "+" : "") +
         fixed(static_cast<double>(offset) / 1e3, 1) + "\u202fkb, " + locus_text(bin) + ", " +
         fixed(window.peak_over_uniform, 2) + " times uniform" +
         (at_edge(window.peak, data.bins) ? " (in the outer 5\u202f% of the window)" : "") + ". ";
}

/// decoy: what the site is that does not act on the gene.
std::vector<LegendEntry> legend_of(const PairView& view, bool ticks_are_drawn, const char* decoy) {
  const std::string ticks = ticks_are_drawn ? "; ticks below: its top bins" : "";
  std::vector<LegendEntry> out = {
      {Ink::kBlue, "area", "attention" + ticks},
      {Ink::kOrange, "area", "gradient" + ticks},
      {Ink::kMuted, "dashes", "1: the value of every bin if all were equal"}};
  if (view.sites) {
    out.push_back({Ink::kGreen, "area", "planted causal site"});
    out.push_back({Ink::kNull, "area", decoy});
  }
  if (!view.ends_kb.empty()) out.push_back({Ink::kText, "line", "an end of the chromosome"});
  for (std::size_t i = 0; i < view.classes.size(); ++i) {
    const ElementClass& kind = view.classes[i];
    const std::string row =
        view.classes.size() > 1 ? ", row " + std::to_string(i + 1) : std::string();
    out.push_back(
        {class_ink(i), "area",
         kind.name + " (" + count_text(static_cast<std::int64_t>(kind.spans.size())) + ")" + row});
  }
  return out;
}

}  // namespace

Item window_figure(const Gnuplot& gnuplot, const Material& material, const AttributedPair& pair) {
  const PairView view = make_view(material, pair);
  const Enhancer& enhancer = enhancer_of(material.data, pair.enhancer);
  const int more = class_pixels(view);
  Figure figure;
  figure.picture = draw_both(gnuplot, "Attention and gradient over the DNA window of one pair",
                             {390 + more, 390 + more}, [&](Plot& plot) { describe(plot, view); });
  figure.legend = legend_of(view, !all_are_top(material.data.bins),
                            material.truth && material.truth->has_classes()
                                ? "planted site of the other class of genes"
                                : "planted decoy");
  figure.reading =
      "The height is a bin\u2019s share times the number of bins, so 1 means no preference. A peak "
      "in only one panel is seen by only one of the two methods.";
  figure.note =
      "Both panels share the axis: kb from the centre of the enhancer below, position on the "
      "chromosome in Mb above. ";
  if (!material.run.config.bin_position.value_or(false)) figure.note += kSeesNoPositions;
  if (all_are_top(material.data.bins)) {
    figure.note += " All bins are top bins, so none is marked.";
  }
  if (view.classes_left_out > 0) {
    figure.note += " Not drawn are the " +
                   count_text(static_cast<std::int64_t>(view.classes_left_out)) +
                   " classes with the fewest elements in the window.";
  }
  figure.finding = enhancer.chrom + ", " + material.data.assembly + ". Observed effect " +
                   (std::isnan(pair.beta) ? "not measured" : fixed(pair.beta, 3)) + ", predicted " +
                   fixed(pair.prediction, 3) + ". ";
  if (pair.untrained) {
    figure.finding += "The gene has no training pairs: this output was never trained. ";
  }
  figure.finding += peak_text("Attention", view.attention, enhancer, material) +
                    peak_text("Gradient", view.gradient, enhancer, material);
  return figure;
}

}  // namespace cdt
