// The figures of a report. Each function draws one figure, or says why it is left out and which
// command would add it.
#pragma once

#include "apps/report/explained_pairs.h"
#include "apps/report/gnuplot.h"
#include "apps/report/material.h"
#include "apps/report/page.h"

namespace cdt {

/// Attention maps that figures use.
inline constexpr const char* kHeadsMap = "dna_self_attn_layers.0";
inline constexpr const char* kGeneMap = "dna_to_rna";

/// r of the model against its baselines, controls and noise ceiling.
Item score_figure(const Gnuplot& gnuplot, const Material& material);
/// What is behind r: within genes and enhancers, calibration, the ranking of positives, distance.
Item numbers_table(const Gnuplot& gnuplot, const Material& material);
/// Predicted against observed effects (the paper's Figure 2A).
Item prediction_figure(const Gnuplot& gnuplot, const Material& material);
/// Loss and r by epoch (2B, 2C).
Item training_figure(const Gnuplot& gnuplot, const Material& material);
/// Positions of the peaks of attention and gradient, with the null (3).
Item distance_figure(const Gnuplot& gnuplot, const Material& material);
/// Top bins shared by attention and gradient, with the nulls (4A).
Item overlap_figure(const Gnuplot& gnuplot, const Material& material);
/// Enrichment of top bins on classes of annotated elements, against chance.
Item enrichment_figure(const Gnuplot& gnuplot, const Material& material);
/// Both windows of one explained pair along the genome (4B, 5).
Item window_figure(const Gnuplot& gnuplot, const Material& material, const AttributedPair& pair);
/// Heat maps of DNA self-attention heads (7).
Item heads_figure(const Gnuplot& gnuplot, const Material& material);
/// How near to uniform each attention map is, and how similar its rows of genes are.
Item maps_figure(const Gnuplot& gnuplot, const Material& material);
/// Shares of the DNA gradient that arrive directly, through RNA and through protein.
Item paths_figure(const Gnuplot& gnuplot, const Material& material);
/// Effect of occluding bins, against the gradient.
Item occlusion_figure(const Gnuplot& gnuplot, const Material& material);
/// How well each method finds planted sites and ignores decoys (synthetic data only).
Item truth_figure(const Gnuplot& gnuplot, const Material& material);
/// Whether scores prefer the site of the gene's class (synthetic data with two classes only).
Item classes_figure(const Gnuplot& gnuplot, const Material& material);

}  // namespace cdt
