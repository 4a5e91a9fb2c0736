// The page of a study (cdt-report --study): runs of several seeds over folds, against baselines and
// controls.
#pragma once

#include <string>

#include "apps/evaluation/study.h"
#include "apps/report/gnuplot.h"
#include "apps/report/page.h"

namespace cdt {

/// command: the cdt-report command, for the footer.
Page study_page(const Gnuplot& gnuplot, const Study& study, const std::string& command);

/// r, or average precision, of every kind of prediction, with intervals.
Item study_scores_figure(const Gnuplot& gnuplot, const Study& study, bool of_auprc);
/// r of every run, of the ensemble and of the strongest baseline in each fold.
Item study_folds_figure(const Gnuplot& gnuplot, const Study& study);
/// r against the number of training pairs.
Item study_curve_figure(const Gnuplot& gnuplot, const Study& study);

}  // namespace cdt
