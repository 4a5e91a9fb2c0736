# Error of central differences against the rule, over the step.
width = 760; height = 400
load "style.gp"
set logscale xy
set format xy "10^{%T}"
set xrange [1e-12:1]
set yrange [1e-12:10]
set xtics 100
set ytics 100
set xlabel "step h"
set ylabel "relative error of the differences"
set key bottom right
unset mxtics
unset mytics
set label 1 "rounding, as 1 / h" at 2e-11, 0.1 left textcolor rgb muted
set label 2 "curvature, as h^2" at 0.02, 2e-3 right textcolor rgb muted
plot work."/09.tsv" using 1:3 with linespoints pointtype 7 pointsize 0.4 linewidth 1.8 linecolor rgb orange title "in float32", \
  work."/09.tsv" using 1:2 with linespoints pointtype 7 pointsize 0.4 linewidth 1.8 linecolor rgb blue title "in float64"
