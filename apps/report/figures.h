// The figures of a report. Each function draws one, or says why it is left out and which command
// would add it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/report/gnuplot.h"
#include "apps/report/html.h"
#include "apps/report/material.h"
#include "apps/report/plot.h"

namespace cdt {

struct LegendEntry {
  Ink ink = Ink::kText;
  const char* mark = "";  // a class of the style sheet: "dot", "line", "dashes", "area" or "scale"
  Html text;
};

struct Figure {
  Html title;
  Html picture;
  std::vector<LegendEntry> legend;
  Html reading;  // one sentence: how to read it
  Html note;     // what else a reader may want to know, or nothing
  Html finding;  // what it shows here, with its numbers
  Html details;  // a table behind a fold, or nothing
  bool unfolded = false;
  std::string command;
};

struct Omission {
  Html title;
  Html reason;
  std::string command;  // that would add the figure; may be empty
};

using Item = std::variant<Figure, Omission>;

/// r of the model beside its baselines and its ceiling.
Item score_figure(const Gnuplot& gnuplot, const Material& material);
/// Predicted against observed (the paper's Figure 2A).
Item prediction_figure(const Gnuplot& gnuplot, const Material& material);
/// Loss and r over epochs (2B, 2C).
Item training_figure(const Gnuplot& gnuplot, const Material& material);
/// Where the peaks of attention and gradient lie, with the null drawn in (3).
Item distance_figure(const Gnuplot& gnuplot, const Material& material);
/// Top bins that attention and gradient share, with the nulls drawn in (4A).
Item overlap_figure(const Gnuplot& gnuplot, const Material& material);
/// On which classes of annotated elements the top bins lie, against chance.
Item enrichment_figure(const Gnuplot& gnuplot, const Material& material);
/// The pair whose windows are shown, and what it is among those explained.
struct ShownPair {
  const AttributedPair* pair = nullptr;
  std::string what;  // "The chosen pair"
};
/// That of --pair, else the one of the strongest measured effect, the first where none is measured,
/// among those of genes that were trained on and with both peaks, as far as there are any.
/// InputError if --pair names none; the attribution has pairs.
ShownPair shown_pair(const Material& material);
/// The two windows of one attributed pair over the genome (4B, 5).
Item window_figure(const Gnuplot& gnuplot, const Material& material, const ShownPair& shown);
/// Heads of DNA self-attention as heat maps (7).
Item heads_figure(const Gnuplot& gnuplot, const Material& material);
/// How near to uniform each attention map is, and how alike its rows of genes.
Item maps_figure(const Gnuplot& gnuplot, const Material& material);
/// How much of the DNA gradient arrives directly, through RNA and through protein.
Item paths_figure(const Gnuplot& gnuplot, const Material& material);
/// What happens when bins are taken away, against what the gradient says.
Item occlusion_figure(const Gnuplot& gnuplot, const Material& material);
/// How well each method finds planted sites and passes over decoys (made data only).
Item truth_figure(const Gnuplot& gnuplot, const Material& material);

/// Why no figure of an attribution can be drawn; nothing if one can.
std::optional<Omission> nothing_explained(const Material& material, const Html& title,
                                          const std::string& command);

/// How a class of one of `files` annotation files is called.
std::string class_name(const std::string& file, const std::string& name, std::size_t files);

/// A command line with `value` added to the comma-separated list that `option` has, or with the
/// option if it has none; no value: a flag.
std::string with_option(std::string command, const std::string& option, const std::string& value);
/// The cdt-attribute line of the attribution, or one that makes it.
std::string attribute_command(const Material& material);
/// The same with_option().
std::string attribute_command(const Material& material, const std::string& option,
                              const std::string& value = "");

}  // namespace cdt
