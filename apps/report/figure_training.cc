// Loss and r by epoch, like the paper's Figures 2B and 2C.
#include <algorithm>
#include <cmath>

#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "io/format/text.h"

namespace cdt {
namespace {

void describe(Plot& plot, const std::vector<EpochRow>& epochs, const EpochRow* best) {
  Rows rows;
  for (const EpochRow& e : epochs) {
    rows.push_back({static_cast<double>(e.epoch), e.train_loss, e.val_loss, e.train_r, e.val_r});
  }
  const std::string data = plot.data(rows);
  const bool narrow = plot.canvas().narrow;
  plot.run(narrow ? "set multiplot layout 2,1" : "set multiplot layout 1,2");
  plot.axis("x", {rows.front()[0] - 0.5, rows.back()[0] + 0.5},
            {.most_ticks = narrow ? 6.0 : 8.0, .integers = true});
  plot.label("x", "epoch").margins(11, 2, 1);
  const std::string style = rows.size() > 1
                                ? " with linespoints pointtype 7 pointsize 0.35 linewidth 2"
                                : " with points pointtype 7 pointsize 0.8";
  const auto panel = [&](const std::string& label, std::size_t train, std::size_t val) {
    plot.axis("y", Extent().add(rows, train).add(rows, val), {.to_ticks = true});
    plot.label("y", label);
    const auto curve = [&](std::size_t column, Ink ink) {
      return data + " using 1:" + std::to_string(column + 1) + style + " linecolor " + rgb(ink);
    };
    plot.draw({curve(train, Ink::kBlue), curve(val, Ink::kOrange)});
  };
  if (best != nullptr) {
    const std::string x = format_number(static_cast<double>(best->epoch));
    plot.run("set arrow from " + x + ", graph 0 to " + x +
             ", graph 1 nohead back dashtype (6,4) linewidth 1.2 linecolor " + rgb(Ink::kGreen));
  }
  panel("Huber loss", 1, 2);
  panel("Pearson correlation", 3, 4);
  plot.run("unset multiplot");
}

bool steered_by_seen_genes(const EpochRow& e) { return std::isfinite(e.steering_r); }

/// What chose the best epoch, in words: "validation r of trained genes", "validation loss".
std::string steered_by(const EpochRow& e) {
  const bool seen = e.monitor.starts_with("val_seen_");
  const std::string genes = seen || steered_by_seen_genes(e) ? " of trained genes" : "";
  if (e.monitor.empty()) return "validation r" + genes;
  const std::string kind = e.monitor.substr(e.monitor.rfind('_') + 1);
  return "validation " + (kind == "auprc" ? "average precision" : kind) + genes;
}

Html epochs_table(const std::vector<EpochRow>& epochs) {
  const bool by_seen = std::any_of(epochs.begin(), epochs.end(), steered_by_seen_genes);
  std::vector<Html> head = {"epoch (* best so far)", "learning rate", "train loss",
                            "validation loss",       "train r",       "validation r"};
  if (by_seen) head.emplace_back("of trained genes");
  const bool monitored = !epochs.front().monitor.empty();
  if (monitored) head.emplace_back(epochs.front().monitor);
  std::vector<std::vector<Html>> rows;
  for (const EpochRow& e : epochs) {
    rows.push_back({std::to_string(e.epoch) + (e.best ? " *" : ""), format_number(e.lr),
                    fixed(e.train_loss, 4), fixed(e.val_loss, 4), fixed(e.train_r, 4),
                    fixed(e.val_r, 4)});
    if (by_seen) rows.back().emplace_back(fixed(e.steering_r, 4));
    if (monitored) rows.back().emplace_back(fixed(e.monitored, 4));
  }
  return table("Epochs", head, rows);
}

}  // namespace

Item training_figure(const Gnuplot& gnuplot, const Material& material) {
  const std::vector<EpochRow>& epochs = material.run.epochs;
  if (epochs.empty()) return Omission{"No epoch is finished yet.", true};
  const EpochRow* best = material.run.best();
  Figure figure;
  figure.picture = draw_both(gnuplot, "Training and validation loss and correlation by epoch",
                             {300, 480}, [&](Plot& plot) { describe(plot, epochs, best); });
  figure.legend = {{Ink::kBlue, "line", "training, during the epoch (with dropout, if any)"},
                   {Ink::kOrange, "line", "validation, after the epoch"}};
  figure.reading =
      "Overfitting shows as curves that part while training still improves. This page is about the "
      "weights of the marked epoch.";
  figure.finding = counted(static_cast<std::int64_t>(epochs.size()), "epoch") + " ran.";
  const bool by_r = best != nullptr && best->monitor.empty();
  if (best != nullptr && std::isfinite(by_r ? best->val_r : best->monitored)) {
    figure.legend.push_back({Ink::kGreen, "dashes", "the best epoch, by " + steered_by(*best)});
    figure.finding += " The best is epoch " + std::to_string(best->epoch) + ": training r " +
                      fixed(best->train_r, 3) + ", validation r " + fixed(best->val_r, 3);
    if (by_r && steered_by_seen_genes(*best)) {
      figure.finding += ", over genes with training pairs " + fixed(best->steering_r, 3);
    }
    figure.finding +=
        by_r ? ". It was chosen by this r, which is therefore no estimate of r on new pairs."
             : ". It was chosen by " + steered_by(*best) + ", " + fixed(best->monitored, 4) +
                   ", which is therefore no estimate on new pairs.";
  } else if (best != nullptr) {
    figure.legend.push_back({Ink::kGreen, "dashes", "the epoch whose weights were kept"});
    figure.finding += " No epoch has a " + steered_by(*best) + ", so the weights of epoch " +
                      std::to_string(best->epoch) + " were kept.";
  }
  figure.details = epochs_table(epochs);
  return figure;
}

}  // namespace cdt
