# r of the model, of baselines and of controls, with 95 % intervals where there are any.
width = 760; height = 420
load "style.gp"
stats work."/12.tsv" using 1 nooutput
set margins 24, 3, 4, 2
set key off
set xrange [-0.1:1]
set yrange [-STATS_records + 0.5:0.5]
set border 1
unset grid
set grid xtics linetype 1 linecolor rgb "#e3e7ec"
set ytics scale 0
set xlabel "r on the test pairs, with its 95 % interval"
colour(kind) = kind == 0 ? 0x1f6fb5 : kind == 1 ? 0x8d97a5 : kind == 2 ? 0xb54d12 : 0x1f8a5b
plot work."/12.tsv" using 3:(-$0):4:5:(colour($1)):yticlabels(strcol(2)) with xerrorbars pointtype 7 pointsize 0.7 linewidth 2 \
  linecolor rgb variable
