# The weights of each head of DNA pooling over the bins of one window.
width = 760; height = 380
load "style.gp"
set margins 9, 2, 4, 3
set key top left
set xrange [-0.5:bins - 0.5]
set yrange [0:*]
set ytics 10
set xlabel "bin of the DNA window"
set ylabel "pooling weight, times uniform"
load "sites.gp"
load "site_labels.gp"
array ink[4] = [blue, red, purple, grey]
plot for [h = 1:4] work."/07.tsv" using 1:(column(h + 1)) with linespoints pointtype 7 pointsize 0.3 linewidth (h == 1 ? 5 : 1.8) \
  linecolor rgb ink[h] title sprintf("head %d", h)
