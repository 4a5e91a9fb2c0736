// Paths of the DNA gradient to the prediction: from the pooled DNA directly, through RNA, or
// through RNA and then protein.
#include <algorithm>
#include <array>
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "io/format/npy.h"
#include "io/format/text.h"
#include "model/explain/path_split.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

constexpr std::size_t kMost = GradientPass::kMostPaths;
constexpr double kUneven = 20.0;
constexpr std::array<Ink, kMost> kPathInks = {Ink::kBlue, Ink::kOrange, Ink::kPurple, Ink::kGreen,
                                              Ink::kRed};
constexpr std::array<const char*, kMost> kPathNames = {
    "directly, from the pooled DNA", "through RNA", "through RNA, then protein",
    "through the gene's own RNA token", "through the gene's own protein token"};
constexpr std::array<const char*, kMost> kRowNames = {"direct", "through RNA", "through protein",
                                                      "own RNA", "own protein"};

/// Means over the pairs.
struct Paths {
  /// Per bin: its middle in kb, then the norm of each part in % of the sum of all norms of the
  /// pair.
  Rows rows;
  double from_kb = 0, to_kb = 0;  // of the window
  std::vector<Estimate> share;    // of the gradient, by path; they add up to 1
  std::int64_t pairs = 0;         // pairs with a gradient
  bool is_uneven = false;         // on a common axis the curve of one path would look flat
};

/// Whether there is a gradient to split; it may be the same in every bin but not zero.
bool has_gradient(const std::vector<float>& norms) {
  return std::any_of(norms.begin(), norms.end(), [](float norm) { return norm > 0; });
}

/// Adds the norms of a pair, (paths, bins), to the rows.
void add_norms(const std::vector<float>& norms, Paths* out) {
  const std::size_t paths = out->share.size();
  double sum = 0;
  for (const float norm : norms) sum += norm;
  if (!(sum > 0) || !std::isfinite(sum)) return;
  ++out->pairs;
  for (std::size_t path = 0; path < paths; ++path) {
    for (std::size_t bin = 0; bin < out->rows.size(); ++bin) {
      out->rows[bin][path + 1] += 100.0 * norms[path * out->rows.size() + bin] / sum;
    }
  }
}

Paths read_paths(const NpyFile& file, const Dataset& data, const Attribution& attribution) {
  const std::size_t paths = attribution.summary.paths->share.size();
  file.expect_shape({attribution.rows(), static_cast<std::int64_t>(paths), data.bins});
  Paths out;
  out.share.resize(paths);
  out.from_kb = offset_kb(data, 0);
  out.to_kb = offset_kb(data, data.bins);
  for (std::int64_t bin = 0; bin < data.bins; ++bin) {
    std::vector<double>& row = out.rows.emplace_back(1 + paths, 0.0);
    row[0] = (offset_kb(data, bin) + offset_kb(data, bin + 1)) / 2.0;
  }
  const MethodWindows& gradient = *attribution.find("gradient");
  for (const AttributedPair& pair : attribution.pairs) {
    if (has_gradient(gradient.profile(pair))) add_norms(file.row(pair.row), &out);
  }
  std::vector<double> total(paths, 0.0);
  for (std::vector<double>& row : out.rows) {
    for (std::size_t path = 0; path < paths; ++path) {
      row[path + 1] /= static_cast<double>(std::max<std::int64_t>(out.pairs, 1));
      total[path] += row[path + 1];
    }
  }
  const auto [least, most] = std::minmax_element(total.begin(), total.end());
  out.is_uneven = *most > kUneven * *least && *least > 0;
  for (std::size_t path = 0; path < paths; ++path) {
    const PathMean* mean = find_name(attribution.summary.paths->share, PathSplit::kNames[path]);
    if (mean != nullptr) out.share[path] = mean->mean;
  }
  return out;
}

void share_panel(Plot& plot, const Paths& paths) {
  Extent shares{0.0, 1.0};
  for (std::size_t path = 0; path < paths.share.size(); ++path) {
    const Estimate& e = paths.share[path];
    shares.add(e.value).add(e.interval.low).add(e.interval.high);
  }
  plot.rows({kRowNames.begin(), kRowNames.begin() + std::ssize(paths.share)}).mark(0.0);
  plot.axis("x", shares, {.most_ticks = plot.canvas().narrow ? 5.0 : 10.0, .margin = 0.03});
  plot.label("x", "share of the gradient").run("set format x '%g'");
  std::vector<std::string> layers;
  for (std::size_t path = 0; path < paths.share.size(); ++path) {
    const Estimate& e = paths.share[path];
    layers.push_back(plot.dots(
        {{e.value, -static_cast<double>(path), e.interval.low, e.interval.high}}, kPathInks[path]));
  }
  plot.draw(layers).run("unset label").run("unset arrow");
}

void norm_panel(Plot& plot, const Paths& paths) {
  const std::string data = plot.data(paths.rows);
  plot.run("set border 3").grid("ytics");
  plot.axis("x", {paths.from_kb, paths.to_kb}, {.most_ticks = plot.canvas().narrow ? 6.0 : 10.0});
  Extent norms;
  for (std::size_t path = 0; path < paths.share.size(); ++path) norms.add(paths.rows, path + 1);
  AxisStyle style{.most_ticks = 5.0};
  style.logarithmic = paths.is_uneven;
  style.from_zero = style.to_ticks = !paths.is_uneven;
  plot.axis("y", norms, style);
  plot.label("x", "kb from the centre of the enhancer").label("y", "norms, %");
  plot.run("set format y '%g'");
  const std::string drawn = paths.rows.size() > 1
                                ? " with lines linewidth 1.8 linecolor "
                                : " with points pointtype 7 pointsize 1.1 linecolor ";
  std::vector<std::string> layers;
  for (std::size_t path = 0; path < paths.share.size(); ++path) {
    std::string& layer = layers.emplace_back(data + " using 1:");
    layer.append(std::to_string(path + 2)).append(drawn).append(rgb(kPathInks[path]));
  }
  plot.draw(layers);
}

void describe(Plot& plot, const Paths& paths) {
  const double height = plot.canvas().height;
  const bool narrow = plot.canvas().narrow;
  plot.run("set multiplot").sides(narrow ? 0.34 : 0.19, 0.96);
  plot.heights((height - 95) / height, (height - 8) / height);
  share_panel(plot, paths);
  plot.sides(narrow ? 0.26 : 0.12, 0.96).heights(62 / height, (height - 172) / height);
  norm_panel(plot, paths);
  plot.run("unset multiplot");
}

/// Gradient times input by path, in units of the prediction; empty if undefined.
Html products(const PathSummary& summary) {
  Html out;
  for (std::size_t path = 0; path < summary.product.size(); ++path) {
    const PathMean* product = find_name(summary.product, PathSplit::kNames[path]);
    if (product == nullptr || !std::isfinite(product->mean.value)) return {};
    out += (path == 0 ? " Gradient times input, summed over the window, also adds up: " : "; ") +
           with_interval(product->mean, 4) + " " + kPathNames[path];
  }
  return out + ".";
}

/// Names the pairs without shares.
Html left_out(const PathSummary& summary) {
  const std::int64_t flat = summary.zero_gradient_left_out;
  const std::int64_t zeros = summary.zero_dna_left_out;
  if (flat + zeros == 0) return {};
  std::string out = " Left out: ";
  if (flat > 0) out += counted(flat, "pair") + " whose gradient is zero everywhere";
  if (zeros > 0) {
    out += (flat > 0 ? ", " : "") + counted(zeros, "pair") + " whose DNA is all zeros";
  }
  return out + ".";
}

/// The sentence below the figure. pairs: number of pairs that have a share.
Html finding(const Paths& paths, std::int64_t pairs, double additivity_error) {
  Html out = "Share of the gradient, mean over " + counted(pairs, "pair") + ": ";
  for (std::size_t path = 0; path < paths.share.size(); ++path) {
    out += with_interval(paths.share[path], 2, 100.0) + "\u202f% " + kPathNames[path] +
           (path + 1 < paths.share.size() ? "; " : ".");
  }
  if (std::isfinite(additivity_error)) {
    out += " The parts add up to the total within " + p_value(additivity_error) + " of it.";
  }
  return out;
}

}  // namespace

Item paths_figure(const Gnuplot& gnuplot, const Material& material) {
  const std::filesystem::path file = material.attribution->directory / "paths.npy";
  if (!material.attribution->summary.paths) {
    return Omission{"The attribution holds no path decomposition.", true};
  }
  const Paths paths = read_paths(NpyFile(file), material.data, *material.attribution);
  if (paths.pairs == 0) return Omission{"No explained pair has a gradient."};
  Figure figure;
  figure.picture = draw_both(gnuplot, "Shares of the gradient by path, and norms over the window",
                             {440, 410}, [&](Plot& plot) { describe(plot, paths); });
  for (std::size_t path = 0; path < paths.share.size(); ++path) {
    figure.legend.push_back({kPathInks[path], "line", kPathNames[path]});
  }
  figure.reading =
      "The dots show how much of the gradient arrives by each path; the shares add up to 1 and may "
      "be negative where a path works against the total. The curves show where along the window.";
  figure.note =
      "The gradient is the sum of three vectors, one per path. A share is the projection of a part "
      "on the total, divided by the length of the total. The curves are norms of the parts, which "
      "do not add up as the vectors do: parts that cancel each other may both be long.";
  if (paths.is_uneven) figure.note += " Their axis is logarithmic.";
  figure.of_positions = true;
  const PathSummary& summary = *material.attribution->summary.paths;
  figure.finding = finding(paths, summary.pairs, summary.additivity_error) + products(summary) +
                   left_out(summary);
  return figure;
}

}  // namespace cdt
