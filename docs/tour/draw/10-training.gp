# Losses, validation correlation and learning rate over the epochs of the demo.
width = 760; height = 560
load "style.gp"
stats work."/10.tsv" using 2 name "train" nooutput
stats work."/10.tsv" using 4 name "r" nooutput
stats work."/10.tsv" using 5 name "lr" nooutput
set multiplot layout 3, 1 margins 0.14, 0.97, 0.14, 0.96 spacing 0, 0.05
set xrange [0.7:*]
set xtics 1
set format x ""
set arrow 1 from best, graph 0 to best, graph 1 nohead dashtype (4,4) linewidth 1.5 linecolor rgb muted
set key top right
set yrange [0:*]
set ytics tick(train_max)
set ylabel "loss"
plot work."/10.tsv" using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb blue title "training", \
  work."/10.tsv" using 1:3 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb red title "validation"
set key off
set ylabel "validation r"
span = r_max - r_min
set yrange [r_min - 0.1 * span:r_max + 0.1 * span]
set ytics tick(span)
set label 1 "best epoch" at best, graph 0.12 offset -0.7,0 right textcolor rgb muted
plot work."/10.tsv" using 1:4 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb red
unset label 1
set format x "%g"
set xlabel "epoch"
set ylabel "learning rate"
set yrange [0:1.25 * lr_max]
set ytics lr_max / 2
set format y "%.0e"
plot work."/10.tsv" using 1:5 with steps linewidth 2 linecolor rgb purple
unset multiplot
