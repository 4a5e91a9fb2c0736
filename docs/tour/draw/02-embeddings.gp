# Norm and direction of the bins of one window.
width = 760; height = 440
load "style.gp"
set multiplot layout 2, 1 margins 0.12, 0.98, 0.17, 0.91 spacing 0, 0.07
set key off
set xrange [-0.5:bins - 0.5]
load "sites.gp"
load "site_labels.gp"
set format x ""
set ylabel "norm"
set yrange [0:*]
set ytics 2
plot work."/02.tsv" using 1:2 with steps linewidth 2 linecolor rgb blue
unset label 1
unset label 2
set format x "%g"
set xlabel "bin of the DNA window"
set ylabel "cosine with the mean"
set yrange [*:1]
set ytics 0.2
plot work."/02.tsv" using 1:3 with linespoints pointtype 7 pointsize 0.4 linewidth 1.5 linecolor rgb blue
unset multiplot
