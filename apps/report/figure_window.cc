// The two windows of one pair over the genome, after the paper's Figures 4B and 5.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "apps/attribute/numbers.h"
#include "apps/common/command_record.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "io/text.h"
#include "model/profile.h"

namespace cdt {
namespace {

constexpr std::array<Ink, 5> kClassInks = {Ink::kRed, Ink::kTeal, Ink::kGold, Ink::kGreen,
                                           Ink::kPurple};

/// One window: per bin its left edge in kb from the centre and its score in units of a uniform one.
struct Window {
  std::vector<std::vector<double>> steps;
  std::vector<double> top_kb;  // middles of the top bins
  std::int64_t peak = 0;
  double peak_over_uniform = 0;
};

/// A kind of annotated element and where it lies in the window, kb from the centre.
struct ElementClass {
  std::string name;
  std::vector<std::vector<double>> spans;
};

struct PairView {
  Window attention, gradient;
  std::vector<ElementClass> classes;
  const TruthSites* sites = nullptr;
  double from_kb = 0, to_kb = 0, bin_kb = 0;
  double centre_mb = 0;
};

Window make_window(const std::vector<float>& profile, const Dataset& data) {
  Window out;
  double sum = 0;
  for (const float score : profile) sum += score;
  const double uniform = sum / static_cast<double>(data.bins);
  const auto kb = [&](std::int64_t bin) {
    return static_cast<double>(offset_bp(bin, data.bins, data.bin_bp)) / 1e3;
  };
  for (std::int64_t bin = 0; bin < data.bins; ++bin) {
    const double score = uniform > 0 ? profile[static_cast<std::size_t>(bin)] / uniform : 0.0;
    out.steps.push_back({kb(bin), score});
    out.steps.push_back({kb(bin + 1), score});
  }
  for (const std::int64_t bin : top_bins(profile, std::min(kTopBins, data.bins))) {
    out.top_kb.push_back((kb(bin) + kb(bin + 1)) / 2.0);
  }
  out.peak = peak_bin(profile);
  out.peak_over_uniform = out.steps[2 * static_cast<std::size_t>(out.peak)][1];
  return out;
}

/// The commonest classes first; those beyond the inks become one, "other".
std::vector<ElementClass> classes_in(const Material& material, const Enhancer& enhancer,
                                     std::int64_t from, std::int64_t to) {
  std::map<std::string, ElementClass> by_name;
  const auto kb = [&](std::int64_t at) {
    return static_cast<double>(std::clamp(at, from, to) - enhancer.centre()) / 1e3;
  };
  for (const Annotations& annotations : material.annotations) {
    const auto chromosome = annotations.chromosomes.find(enhancer.chrom);
    if (chromosome == annotations.chromosomes.end()) continue;
    for (const Element* element : chromosome->second.overlapping(from, to)) {
      const std::string name = class_name(annotations.name, annotations.labels[element->label],
                                          material.annotations.size());
      by_name[name].name = name;
      by_name[name].spans.push_back({kb(element->start), kb(element->end)});
    }
  }
  std::vector<ElementClass> out;
  for (auto& [name, kind] : by_name) out.push_back(std::move(kind));
  std::stable_sort(out.begin(), out.end(), [](const ElementClass& a, const ElementClass& b) {
    return a.spans.size() > b.spans.size();
  });
  while (out.size() > kClassInks.size()) {
    ElementClass last = std::move(out.back());
    out.pop_back();
    out.back().name = "other";
    out.back().spans.insert(out.back().spans.end(), last.spans.begin(), last.spans.end());
  }
  return out;
}

PairView make_view(const Material& material, const AttributedPair& pair) {
  const Dataset& data = material.data;
  const Attribution& attribution = *material.attribution;
  const Enhancer& enhancer = data.enhancers[static_cast<std::size_t>(pair.enhancer)];
  PairView view;
  view.attention = make_window(attribution.find("attention")->profile(pair), data);
  view.gradient = make_window(attribution.find("gradient")->profile(pair), data);
  const std::int64_t from = offset_bp(0, data.bins, data.bin_bp);
  const std::int64_t to = offset_bp(data.bins, data.bins, data.bin_bp);
  view.from_kb = static_cast<double>(from) / 1e3;
  view.to_kb = static_cast<double>(to) / 1e3;
  view.bin_kb = static_cast<double>(data.bin_bp) / 1e3;
  view.centre_mb = static_cast<double>(enhancer.centre()) / 1e6;
  view.classes = classes_in(material, enhancer, enhancer.centre() + from, enhancer.centre() + to);
  if (material.truth) {
    const auto sites = material.truth->sites.find(enhancer.name);
    if (sites != material.truth->sites.end()) view.sites = &sites->second;
  }
  return view;
}

/// Shades planted bins over the whole height of a panel.
void shade(Plot& plot, const PairView& view, const std::vector<std::int64_t>& bins, Ink ink) {
  for (const std::int64_t bin : bins) {
    const double left = view.from_kb + static_cast<double>(bin) * view.bin_kb;
    plot.run("set object rectangle from " + format_number(left) + ", graph 0 to " +
             format_number(left + view.bin_kb) +
             ", graph 1 behind fillstyle solid noborder fillcolor " + rgb(ink, 0.30));
  }
}

void window_panel(Plot& plot, const Window& window, const std::string& label, Ink ink) {
  const std::string steps = plot.data(window.steps);
  const bool peak_is_left = 2 * window.peak < static_cast<std::int64_t>(window.steps.size() / 2);
  plot.run("set label 1 '" + label + "' at graph " +
           (peak_is_left ? "0.988, graph 0.9 right" : "0.012, graph 0.9 left") +
           " front textcolor " + rgb(ink));
  plot.ticks("y", window.peak_over_uniform, 4.0);
  plot.run("unset arrow");
  const std::string tick = ", graph -0.055 nohead linewidth 1.5 linecolor " + rgb(ink);
  for (const double kb : window.top_kb) {
    std::string arrow = "set arrow from ";
    const std::string x = format_number(kb);
    arrow.append(x).append(", graph 0 to ").append(x).append(tick);
    plot.run(arrow);
  }
  plot.run("plot " + steps + " using 1:2 with filledcurves y1=0 fillcolor " + rgb(ink, 0.30) +
           ", " + steps + " using 1:2 with lines linewidth 1.5 linecolor " + rgb(ink) +
           ", 1 with lines dashtype (4,4) linewidth 1 linecolor " + rgb(Ink::kMuted));
}

/// The axis of chromosome positions above the windows: round steps, at most `most` of them.
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

void element_panel(Plot& plot, const PairView& view) {
  plot.run("set yrange [" + format_number(-static_cast<double>(view.classes.size())) + ":0]");
  plot.run("unset ytics").run("unset grid").run("set border 1");
  std::string command;
  for (std::size_t i = 0; i < view.classes.size(); ++i) {
    std::vector<std::vector<double>> boxes;
    for (const std::vector<double>& span : view.classes[i].spans) {
      const double y = -static_cast<double>(i) - 0.5;
      boxes.push_back({(span[0] + span[1]) / 2.0, y, span[0], span[1], y - 0.32, y + 0.32});
    }
    const std::string colour = rgb(kClassInks[i]);
    command.append(i == 0 ? "plot " : ", ")
        .append(plot.data(boxes))
        .append(" using 1:2:3:4:5:6 with boxxyerror fillstyle solid 1.0 border linecolor ")
        .append(colour)
        .append(" fillcolor ")
        .append(colour);
  }
  plot.run(command);
}

/// Places the next panel between two heights, fractions of the canvas.
void place(Plot& plot, double bottom, double top) {
  plot.run("set bmargin at screen " + format_number(bottom));
  plot.run("set tmargin at screen " + format_number(top));
}

void describe(Plot& plot, const PairView& view) {
  const double height = plot.canvas().height;
  const double foot = 58.0 / height;
  const double elements = view.classes.empty()
                              ? 0.0
                              : (14.0 + 13.0 * static_cast<double>(view.classes.size())) / height;
  const double head = 1.0 - 50.0 / height;
  const double gap = 16.0 / height;
  const double panel = (head - foot - elements - gap) / 2.0;
  plot.run("set multiplot");
  plot.run("set lmargin at screen " + std::string(plot.canvas().narrow ? "0.15" : "0.08"));
  plot.run("set rmargin at screen " + std::string(plot.canvas().narrow ? "0.93" : "0.97"));
  plot.run("set xrange [" + format_number(view.from_kb) + ":" + format_number(view.to_kb) + "]");
  plot.run("set yrange [0:*]").run("set ytics 1 autofreq").run("set autoscale yfixmin");
  plot.ticks("x", view.to_kb - view.from_kb, plot.canvas().narrow ? 5.0 : 9.0);
  plot.run("set xtics scale 0").run("set format x ''");
  if (view.sites != nullptr) {
    shade(plot, view, view.sites->causal, Ink::kGreen);
    shade(plot, view, view.sites->decoy, Ink::kNull);
  }
  position_axis(plot, view, plot.canvas().narrow ? 4.0 : 7.0);
  place(plot, head - panel, head);
  window_panel(plot, view.attention, "attention", Ink::kBlue);
  plot.run("unset x2tics").run("unset x2label").run("set border 3");
  place(plot, head - 2.0 * panel - gap, head - panel - gap);
  const std::string axis =
      "set xlabel 'kb from the centre of the enhancer' offset 0,0.3; set format x '%g'";
  if (view.classes.empty()) plot.run(axis);
  window_panel(plot, view.gradient, "gradient", Ink::kOrange);
  if (!view.classes.empty()) {
    plot.run("unset object").run("unset arrow").run("unset label").run(axis);
    place(plot, foot, foot + elements - 6.0 / height);
    element_panel(plot, view);
  }
  plot.run("unset multiplot");
}

Html peak_text(const char* method, const Window& window, const Enhancer& enhancer,
               const Dataset& data) {
  const std::int64_t offset = offset_bp(window.peak, data.bins, data.bin_bp);
  const std::int64_t start = enhancer.centre() + offset;
  return Html(method) + " peaks at " + (offset >= 0 ? "+" : "") +
         fixed(static_cast<double>(offset) / 1e3, 1) + "\u202fkb, " + enhancer.chrom + ":" +
         std::to_string(std::max<std::int64_t>(start, 0)) + "-" +
         std::to_string(std::max<std::int64_t>(start + data.bin_bp, 0)) + ", " +
         fixed(window.peak_over_uniform, 2) + " times uniform" +
         (at_edge(window.peak, data.bins) ? " (in the outer 5\u202f% of the window)" : "") + ". ";
}

std::vector<LegendEntry> legend_of(const PairView& view) {
  std::vector<LegendEntry> out = {
      {Ink::kBlue, "area", "attention; ticks below: its top bins"},
      {Ink::kOrange, "area", "gradient; ticks below: its top bins"},
      {Ink::kMuted, "dashes", "1: what every bin would have if all were equal"}};
  if (view.sites != nullptr) {
    out.push_back({Ink::kGreen, "area", "planted site that acts"});
    out.push_back({Ink::kNull, "area", "planted decoy"});
  }
  for (std::size_t i = 0; i < view.classes.size(); ++i) {
    out.push_back({kClassInks[i], "area",
                   view.classes[i].name + " (" +
                       count_text(static_cast<std::int64_t>(view.classes[i].spans.size())) + ")"});
  }
  return out;
}

}  // namespace

Item window_figure(const Gnuplot& gnuplot, const Material& material, const AttributedPair& pair) {
  const PairView view = make_view(material, pair);
  const Enhancer& enhancer = material.data.enhancers[static_cast<std::size_t>(pair.enhancer)];
  const std::string& gene = material.data.genes[static_cast<std::size_t>(pair.gene)];
  const int more = view.classes.empty() ? 0 : 14 + 13 * static_cast<int>(view.classes.size());
  Figure figure;
  figure.title = Html(material.pair.empty() ? "The strongest effect" : "The chosen pair") + ": " +
                 enhancer.name + " to " + element("i", gene);
  figure.picture = draw_both(gnuplot, "Attention and gradient over the DNA window of one pair",
                             {390 + more, 390 + more}, [&](Plot& plot) { describe(plot, view); });
  figure.legend = legend_of(view);
  figure.reading =
      "A height is a bin\u2019s share times the number of bins, so 1 is no preference and a peak "
      "in one panel only is seen by one of the two windows alone.";
  figure.note =
      "Both panels share the axis: kb from the centre of the enhancer below, position on the "
      "chromosome in Mb above.";
  figure.finding = enhancer.chrom + ", " + material.data.assembly + ". Observed effect " +
                   fixed(pair.beta, 3) + ", predicted " + fixed(pair.prediction, 3) + ". ";
  figure.finding += peak_text("Attention", view.attention, enhancer, material.data) +
                    peak_text("Gradient", view.gradient, enhancer, material.data);
  figure.command = attribute_command(material) + "\n" + material.command;
  if (material.pair.empty()) figure.command += " --pair " + shell_word(enhancer.name + ":" + gene);
  return figure;
}

}  // namespace cdt
