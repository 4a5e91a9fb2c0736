# Predicted against measured effects of the test pairs.
width = 760; height = 420
load "style.gp"
set key off
set xlabel "measured effect β"
set ylabel "predicted effect"
set title sprintf("%d test pairs of the demo:  r = %.2f  [%.2f, %.2f]", n, r, low, high)
set label 1 "prediction = measurement" at graph 0.86, graph 0.97 right textcolor rgb muted
plot x with lines dashtype (4,4) linewidth 1.5 linecolor rgb muted, \
  work."/01.tsv" with points pointtype 7 pointsize 0.45 linecolor rgb blue
