// How a DNA gradient reaches the prediction: from the pooled DNA itself, through RNA, or through
// RNA and then protein.
#include <algorithm>
#include <array>
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "io/text.h"
#include "model/profile.h"

namespace cdt {
namespace {

constexpr std::size_t kPaths = 3;
constexpr double kUneven = 20.0;
constexpr std::array<Ink, kPaths> kInks3 = {Ink::kBlue, Ink::kOrange, Ink::kPurple};
constexpr std::array<const char*, kPaths> kPathNames = {"directly, from the pooled DNA",
                                                        "through RNA", "through RNA, then protein"};

struct Paths {
  /// Per bin: its middle in kb, then the mean norm of each path as a share of the pair's sum.
  std::vector<std::vector<double>> rows;
  std::array<double, kPaths> share{};  // of the sum of the norms, mean over pairs
  std::int64_t pairs = 0;              // with a gradient

  /// A path would lie flat on the axis beside another.
  bool is_uneven() const {
    const auto [least, most] = std::minmax_element(share.begin(), share.end());
    return *most > kUneven * *least && *least > 0;
  }
};

Paths read_paths(const NpyFile& file, const Dataset& data, std::int64_t pairs) {
  file.expect_shape({pairs, static_cast<std::int64_t>(kPaths), data.bins});
  Paths out;
  const auto bins = static_cast<std::size_t>(data.bins);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const double left =
        static_cast<double>(offset_bp(static_cast<std::int64_t>(bin), data.bins, data.bin_bp));
    out.rows.push_back({(left + static_cast<double>(data.bin_bp) / 2.0) / 1e3, 0.0, 0.0, 0.0});
  }
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const std::vector<float> norms = file.row(pair);
    double sum = 0;
    for (const float norm : norms) sum += norm;
    if (!(sum > 0)) continue;
    ++out.pairs;
    for (std::size_t path = 0; path < kPaths; ++path) {
      for (std::size_t bin = 0; bin < bins; ++bin)
        out.rows[bin][path + 1] += norms[path * bins + bin] / sum;
    }
  }
  for (std::vector<double>& row : out.rows) {
    for (std::size_t path = 0; path < kPaths; ++path) {
      row[path + 1] /= static_cast<double>(std::max<std::int64_t>(out.pairs, 1));
      out.share[path] += row[path + 1];
    }
  }
  return out;
}

void describe(Plot& plot, const Paths& paths) {
  const std::string data = plot.data(paths.rows);
  const double span = paths.rows.back()[0] - paths.rows.front()[0];
  plot.run("set lmargin 11").run("set rmargin 2").run("set tmargin 1");
  plot.ticks("x", span, plot.canvas().narrow ? 6.0 : 10.0);
  plot.run("set xrange [" + format_number(paths.rows.front()[0]) + ":" +
           format_number(paths.rows.back()[0]) + "]");
  plot.run("set xlabel 'kb from the centre of the enhancer'").run("set format y '%g'");
  plot.run("set ylabel 'share of the gradient, %'");
  if (paths.is_uneven()) {
    plot.run("set logscale y");
  } else {
    plot.run("set yrange [0:*]");
  }
  std::string command;
  for (std::size_t path = 0; path < kPaths; ++path) {
    command += (path == 0 ? "plot " : ", ") + data + " using 1:(100*$" + std::to_string(path + 2) +
               ") with lines linewidth 1.8 linecolor " + rgb(kInks3[path]);
  }
  plot.run(command);
}

}  // namespace

Item paths_figure(const Gnuplot& gnuplot, const Material& material) {
  const Html title = "By which path the DNA moves the prediction";
  if (!material.attribution)
    return Omission{title, "No attribution was given.", attribute_command(material, "paths")};
  const std::filesystem::path file = material.attribution->directory / "paths.npy";
  if (!std::filesystem::exists(file)) {
    return Omission{title, "The attribution holds no path decomposition.",
                    attribute_command(material, "paths")};
  }
  const Paths paths = read_paths(NpyFile(file), material.data,
                                 static_cast<std::int64_t>(material.attribution->pairs.size()));
  Figure figure;
  figure.title = title;
  figure.picture = draw_both(gnuplot, "Mean gradient norm over the window, by path", {300, 260},
                             [&](Plot& plot) { describe(plot, paths); });
  figure.reading =
      "The gradient is the sum of three vectors, one per path; the lines are their norms, averaged "
      "over pairs. "
      "Norms do not add up as the vectors do.";
  if (paths.is_uneven()) figure.reading += " The axis is logarithmic.";
  figure.finding = "Of the sum of the norms, mean over " + counted(paths.pairs, "pair") + ": ";
  for (std::size_t path = 0; path < kPaths; ++path) {
    figure.legend.push_back({kInks3[path], "line", kPathNames[path]});
    figure.finding +=
        percent(paths.share[path]) + " " + kPathNames[path] + (path + 1 < kPaths ? "; " : ".");
  }
  const double error = number_at(material.attribution->summary, "paths.additivity_error");
  if (std::isfinite(error))
    figure.finding += " The three add up to the whole within " + p_value(error) + ".";
  figure.command = attribute_command(material);
  return figure;
}

}  // namespace cdt
