// All attention maps of cdt-attribute: how near to uniform each head is, and whether the rows of
// genes differ (attention_maps of summary.json).
#include <algorithm>
#include <cmath>

#include "apps/report/attribution_claims.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"

namespace cdt {
namespace {

struct MapHeads {
  std::string name;
  double keys = 0;
  std::vector<HeadConcentration> heads;
};

/// Whether a name is safe for a script, as the names of maps are.
bool is_plain(const std::string& name) {
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string::npos;
}

/// Number of keys of a map: the last axis of its array; 0 if there is no such map.
double keys_of(const MapFiles& files, const std::string& name) {
  for (const MapFile& map : files.maps) {
    if (map.name == name && !map.shape.empty()) return static_cast<double>(map.shape.back());
  }
  return 0.0;
}

std::vector<MapHeads> read_maps(const Attribution& attribution) {
  std::vector<MapHeads> out;
  if (!attribution.summary.maps || !attribution.maps) return out;
  for (const auto& [name, heads] : attribution.summary.maps->heads) {
    if (!is_plain(name)) continue;
    out.push_back({name, keys_of(*attribution.maps, name), heads});
  }
  // An enhancer without DNA has maps but no numbers.
  std::erase_if(out, [](const MapHeads& map) {
    return !(map.keys > 0) || map.heads.empty() ||
           !std::isfinite(map.heads.front().effective_positions);
  });
  return out;
}

void describe(Plot& plot, const std::vector<MapHeads>& maps) {
  std::vector<std::string> names;
  Rows points;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    names.push_back(maps[i].name);
    for (const HeadConcentration& head : maps[i].heads) {
      points.push_back({100.0 * head.effective_positions / maps[i].keys, -static_cast<double>(i)});
    }
  }
  const bool narrow = plot.canvas().narrow;
  plot.rows(names).mark(100.0).run("set tmargin 1");
  plot.sides(narrow ? 0.56 : 0.3, 0.96);
  plot.axis("x", {0.0, 104.0}, {.most_ticks = narrow ? 3.0 : 6.0});
  plot.label("x", narrow ? "% of positions" : "effective positions of a row, % of all");
  plot.draw({Plot::points(plot.data(points), 1.0, Ink::kBlue, 0.7)});
}

Html map_table(const std::vector<MapHeads>& maps) {
  std::vector<std::vector<Html>> rows;
  for (const MapHeads& map : maps) {
    int number = 0;
    for (const HeadConcentration& head : map.heads) {
      rows.push_back({map.name, std::to_string(++number),
                      fixed(head.effective_positions, 1) + " of " + fixed(map.keys, 0),
                      percent(head.effective_positions / map.keys),
                      fixed(head.peak_over_uniform, 2)});
    }
  }
  return table("Attention maps",
               {"map", "head", "effective positions", "of all", "peak over uniform"}, rows);
}

struct MappedGeneRows : GeneRows {
  std::int64_t with_dna = 0;  // enhancers
};

/// Means over the enhancers with DNA that have an r.
MappedGeneRows mean_gene_rows(const Attribution& attribution, const Dataset& data) {
  MappedGeneRows out;
  const MapSummary& maps = *attribution.summary.maps;
  for (const GeneRowCorrelation& row : maps.gene_rows.value_or(std::vector<GeneRowCorrelation>{})) {
    if (!attribution.explains(data.find_enhancer(row.enhancer))) continue;
    ++out.with_dna;
    if (!std::isfinite(row.mean) || !std::isfinite(row.min)) continue;
    ++out.enhancers;
    out.mean += row.mean;
    out.share_above += row.share_above;
    out.least = std::min(out.least, row.min);
  }
  out.mean /= static_cast<double>(out.enhancers);
  out.share_above /= static_cast<double>(out.enhancers);
  return out;
}

/// Names the enhancers over which the heads are averaged.
Html mapped(const Attribution& attribution) {
  const std::int64_t zeros = attribution.summary.maps->zero_dna_left_out;
  const auto all = static_cast<std::int64_t>(attribution.maps->enhancers.size());
  const std::string why =
      zeros > 0 ? ", left out: " + count_text(zeros) + " whose DNA is all zeros" : "";
  return "Maps of DNA: n = " + counted(all - zeros, "enhancer") + why + ". ";
}

Html finding(const Attribution& attribution, const Dataset& data) {
  const MappedGeneRows rows = mean_gene_rows(attribution, data);
  if (rows.enhancers == 0 && rows.with_dna > 0) {
    return Html("The similarity of gene rows in ") + kGeneMap + " is undefined: " +
           (data.genes_count() < 2 ? "there is only one gene." : "at most one row is not uniform.");
  }
  if (rows.enhancers == 0 && find_name(attribution.summary.maps->heads, kGeneMap) != nullptr) {
    return "The mapped enhancers have no DNA, so their attention to it means nothing.";
  }
  if (rows.enhancers == 0) {
    return Html("To show how similar the rows of genes are, the map ") + kGeneMap +
           " is needed (--maps of cdt-attribute).";
  }
  return "In " + Html(kGeneMap) +
         " the rows of two genes, uniform rows left out, correlate with r = " +
         fixed(rows.mean, 3) + " on average and " + fixed(rows.least, 3) + " at least, " +
         percent(rows.share_above) + " of them above 0.99 (" + counted(rows.enhancers, "enhancer") +
         ")." + gene_rows_claim(rows);
}

}  // namespace

Item maps_figure(const Gnuplot& gnuplot, const Material& material) {
  const std::vector<MapHeads> maps = read_maps(*material.attribution);
  if (maps.empty()) {
    return material.attribution->summary.maps ? Omission{"No mapped enhancer has DNA."}
                                              : Omission{"The attribution holds no maps.", true};
  }
  const int height = 76 + 26 * static_cast<int>(maps.size());
  Figure figure;
  figure.picture = draw_both(gnuplot, "Effective positions of each head, by attention map",
                             {height, height}, [&](Plot& plot) { describe(plot, maps); });
  figure.legend = {{Ink::kBlue, "dot", "a head"}, {Ink::kMuted, "dashes", "uniform"}};
  figure.reading =
      "A dot on the dashed line is a head that attends to all positions equally; a dot far to the "
      "left is a head that attends to few.";
  figure.note =
      "Effective positions are exp of the entropy of a row of the map, averaged over rows and "
      "enhancers. The closer the correlation of two genes\u2019 rows is to 1, the less the "
      "attention says about either gene.";
  figure.finding = mapped(*material.attribution) + finding(*material.attribution, material.data);
  figure.details = map_table(maps);
  return figure;
}

}  // namespace cdt
