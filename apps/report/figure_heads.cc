// Heat maps of the heads of a DNA self-attention layer, like the paper's Figure 7.
#include <algorithm>
#include <array>
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "engine/error.h"
#include "io/format/npy.h"
#include "io/format/text.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

constexpr std::size_t kMostHeads = 8;
constexpr std::int64_t kMostPixels = 112;  // on a side; no panel on a page is larger
// matplotlib's viridis colours, perceptually uniform and safe for colour-blind readers.
constexpr std::array<const char*, 6> kScale = {"#440154", "#414487", "#2a788e",
                                               "#22a884", "#7ad151", "#fde725"};

struct HeadMap {
  Rows pixels;           // relative to uniform attention, rows from query 0
  double effective = 0;  // mean over queries of exp(entropy), in keys
};

/// Means over square blocks of one head's map (L, L), relative to a uniform map.
HeadMap make_head(std::span<const float> map, std::int64_t bins) {
  HeadMap out;
  const std::int64_t block = (bins + kMostPixels - 1) / kMostPixels;
  const std::int64_t side = (bins + block - 1) / block;
  out.pixels.assign(static_cast<std::size_t>(side),
                    std::vector<double>(static_cast<std::size_t>(side)));
  std::vector<double> counts(static_cast<std::size_t>(side));
  for (std::int64_t i = 0; i < bins; ++i) ++counts[static_cast<std::size_t>(i / block)];
  for (std::int64_t query = 0; query < bins; ++query) {
    const std::span<const float> row =
        map.subspan(static_cast<std::size_t>(query * bins), static_cast<std::size_t>(bins));
    out.effective += concentration(row).effective_bins / static_cast<double>(bins);
    const auto y = static_cast<std::size_t>(query / block);
    for (std::int64_t key = 0; key < bins; ++key) {
      const auto x = static_cast<std::size_t>(key / block);
      out.pixels[y][x] +=
          row[static_cast<std::size_t>(key)] * static_cast<double>(bins) / (counts[x] * counts[y]);
    }
  }
  return out;
}

struct Heads {
  std::vector<HeadMap> heads;  // the first kMostHeads
  std::size_t all = 0;         // heads of the layer
  bool per_head = false;
  std::string enhancer;
};

/// Index of the first enhancer with DNA among those of the maps; -1 if there is none.
std::int64_t first_with_dna(const std::vector<std::string>& enhancers, const Material& material) {
  for (std::size_t i = 0; i < enhancers.size(); ++i) {
    const std::int32_t row = material.data.find_enhancer(enhancers[i]);
    if (material.attribution->explains(row)) return static_cast<std::int64_t>(i);
  }
  return -1;
}

/// Reads the heads of the first enhancer with DNA that has a map; empty if there is none.
Heads read_heads(const Material& material) {
  Heads out;
  const std::filesystem::path folder = material.attribution->directory / "maps";
  const std::optional<MapFiles>& maps = material.attribution->maps;
  if (!maps || !std::filesystem::exists(folder / (std::string(kHeadsMap) + ".npy"))) return out;
  out.per_head = maps->per_head;
  const std::vector<std::string>& enhancers = maps->enhancers;
  const std::int64_t place = first_with_dna(enhancers, material);
  if (place < 0) return out;
  out.enhancer = enhancers[static_cast<std::size_t>(place)];
  const NpyFile file(folder / (std::string(kHeadsMap) + ".npy"));
  const std::int64_t bins = material.data.bins;
  const std::size_t axes = out.per_head ? 4 : 3;
  if (file.shape().size() != axes || file.shape()[axes - 1] != bins ||
      file.shape()[axes - 2] != bins ||
      file.shape().front() != static_cast<std::int64_t>(enhancers.size())) {
    throw InputError(file.path().string(), "shape",
                     expected_got("differs from the data set's",
                                  "(" + std::to_string(enhancers.size()) + ", " +
                                      std::string(out.per_head ? "heads, " : "") +
                                      std::to_string(bins) + ", " + std::to_string(bins) + ")",
                                  shape_text(file.shape())));
  }
  const std::vector<float> values = file.row(place);
  const auto size = static_cast<std::size_t>(bins * bins);
  out.all = values.size() / size;
  for (std::size_t begin = 0; begin < values.size() && out.heads.size() < kMostHeads;
       begin += size) {
    out.heads.push_back(make_head(std::span(values).subspan(begin, size), bins));
  }
  return out;
}

/// Range that holds every pixel, at least a factor of 2 and at most four decades.
std::pair<double, double> colour_range(const std::vector<HeadMap>& heads) {
  Extent extent{0.75, 1.5};
  for (const HeadMap& head : heads) {
    for (const std::vector<double>& row : head.pixels) {
      for (const double pixel : row) extent.add(pixel);
    }
  }
  return {std::max(extent.low(), extent.high() * 1e-4), extent.high()};
}

/// Pixels on the logarithmic scale of the palette; at least 2 x 2, since gnuplot draws no smaller
/// image.
Rows drawn_pixels(const HeadMap& head, const std::pair<double, double>& range) {
  Rows out = head.pixels;
  for (std::vector<double>& row : out) {
    for (double& value : row) value = std::log10(std::clamp(value, range.first, range.second));
  }
  if (out.size() == 1) out.assign(2, {out[0][0], out[0][0]});
  return out;
}

void describe(Plot& plot, const Heads& heads, const std::pair<double, double>& range) {
  const std::size_t columns =
      std::min<std::size_t>(plot.canvas().narrow ? 2 : 4, heads.heads.size());
  const std::size_t rows = (heads.heads.size() + columns - 1) / columns;
  plot.run("set multiplot layout " + std::to_string(rows) + "," + std::to_string(columns));
  plot.run("unset grid").run("unset colorbox").run("set border 15");
  plot.margins(0.8, 0.8, 1.6).run("set bmargin 0.6");
  plot.run("set size square");
  std::string palette;
  for (std::size_t i = 0; i < kScale.size(); ++i) {
    palette += (i > 0 ? ", " : "") + std::to_string(i) + " '" + kScale[i] + "'";
  }
  plot.run("set palette defined (" + palette + ")");
  plot.axis("cb", {std::log10(range.first), std::log10(range.second)});
  for (std::size_t h = 0; h < heads.heads.size(); ++h) {
    const HeadMap& head = heads.heads[h];
    const std::string name = heads.per_head ? "head " + std::to_string(h + 1) : "mean of heads";
    plot.run("set title '" + plain(name) + ", " + fixed(head.effective, 0) +
             (std::lround(head.effective) == 1 ? " bin" : " bins") + "' offset 0,-0.8 textcolor " +
             rgb(Ink::kText));
    const Rows pixels = drawn_pixels(head, range);
    const Extent side{-0.5, static_cast<double>(pixels.size()) - 0.5};
    plot.axis("x", side).axis("y", side).run("unset tics");
    plot.draw({plot.data(pixels) + " matrix with image"});
  }
  plot.run("unset multiplot");
}

}  // namespace

Item heads_figure(const Gnuplot& gnuplot, const Material& material) {
  const Heads heads = read_heads(material);
  if (heads.heads.empty()) {
    return Omission{"The attribution holds no map of it.", true};
  }
  const std::pair<double, double> range = colour_range(heads.heads);
  const auto rows = [&](std::size_t columns) {
    return static_cast<int>((heads.heads.size() + columns - 1) / columns);
  };
  Extent effective;
  for (const HeadMap& head : heads.heads) effective.add(head.effective);
  Figure figure;
  figure.picture =
      draw_both(gnuplot, "Heat maps of attention from query to key bins, by head",
                {198 * rows(4), 188 * rows(2)}, [&](Plot& plot) { describe(plot, heads, range); });
  figure.legend = {{Ink::kText, "scale",
                    Html("attention from ") + p_value(range.first) + " to " +
                        fixed(range.second, 1) + " times uniform, logarithmic"}};
  figure.reading =
      "A row is a query bin (upstream at the bottom), a column a key bin it attends to. A diagonal "
      "means attention to nearby bins, a vertical line a bin that all others attend to.";
  figure.note =
      "The number above a map is how many bins a row spreads over (exp of its entropy, mean over "
      "rows).";
  figure.of_positions = true;
  figure.finding = "Enhancer " + Html(heads.enhancer) + ", windows of " +
                   counted(material.data.bins, "bin") + ".";
  if (heads.heads.size() < heads.all) {
    figure.finding += " Only the first " + std::to_string(heads.heads.size()) + " of " +
                      std::to_string(heads.all) + " heads are drawn.";
  }
  if (heads.heads.size() > 1 && !effective.empty()) {
    figure.finding += " The sharpest of them spreads over " + Html(fixed(effective.low(), 1)) +
                      " bins, the broadest over " + fixed(effective.high(), 1) + ".";
  }
  return figure;
}

}  // namespace cdt
