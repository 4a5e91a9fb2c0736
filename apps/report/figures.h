// The figures of a report. Each function draws one, or says why it is left out and which command
// would add it.
#pragma once

#include "apps/report/explained_pairs.h"
#include "apps/report/gnuplot.h"
#include "apps/report/material.h"
#include "apps/report/page.h"

namespace cdt {

/// Attention maps that figures draw.
inline constexpr const char* kHeadsMap = "dna_self_attn_layers.0";
inline constexpr const char* kGeneMap = "dna_to_rna";

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
/// The two windows of one attributed pair over the genome (4B, 5).
Item window_figure(const Gnuplot& gnuplot, const Material& material, const AttributedPair& pair);
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

}  // namespace cdt
