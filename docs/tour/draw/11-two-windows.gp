# Attention, gradient and occlusion of one pair.
width = 760; height = 560
load "style.gp"
do for [c = 2:4] { stats work."/11.tsv" using c name sprintf("c%d", c) nooutput }
set multiplot layout 3, 1 margins 0.13, 0.98, 0.14, 0.93 spacing 0, 0.05
set key off
set style fill solid 0.8
set xrange [-0.5:bins - 0.5]
set format x ""
load "sites.gp"
load "site_labels.gp"
set label 1 at first (causal_from + causal_to - 1) / 2.0, graph 1.09
set label 2 at first (decoy_from + decoy_to - 1) / 2.0, graph 1.09
set yrange [0:*]
set ytics tick(c2_max)
set ylabel "attention" textcolor rgb blue
plot work."/11.tsv" using 1:2 with boxes linecolor rgb blue, 1 with lines dashtype (4,4) linecolor rgb muted
unset label 1
unset label 2
set ytics tick(c3_max)
set ylabel "gradient" textcolor rgb red
plot work."/11.tsv" using 1:3 with boxes linecolor rgb red, 1 with lines dashtype (4,4) linecolor rgb muted
set ylabel "occlusion" textcolor rgb purple
set yrange [*:*]
set ytics tick(c4_max - c4_min)
set format x "%g"
set xlabel "bin of the DNA window"
plot work."/11.tsv" using 1:4 with boxes linecolor rgb purple, 0 with lines linecolor rgb muted
unset multiplot
