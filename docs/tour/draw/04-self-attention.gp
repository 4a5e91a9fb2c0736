# The map of each of four heads of the first self-attention over DNA.
width = 760; height = 740
load "style.gp"
stats work."/04.tsv" matrix nooutput
set multiplot layout 2, 2 margins 0.11, 0.84, 0.11, 0.95 spacing 0.09, 0.12
set key off
unset grid
set style fill solid 1
set xrange [-0.5:bins - 0.5]
set yrange [bins - 0.5:-0.5]
set xtics 10
set ytics 10
set cbrange [0:bins * STATS_max]
set border 15
unset colorbox
do for [h = 0:3] {
  set title sprintf("head %d", h + 1) offset 0,-0.6
  set ylabel h % 2 == 0 ? "query bin" : ""
  set xlabel h > 1 ? "key bin" : ""
  if (h == 3) { set colorbox user origin 0.87, 0.11 size 0.022, 0.84; set cblabel "weight, times uniform" textcolor rgb text }
  set arrow 1 from causal_from - 0.5, graph -0.02 to causal_to - 0.5, graph -0.02 nohead linewidth 5 linecolor rgb green front
  set arrow 2 from decoy_from - 0.5, graph -0.02 to decoy_to - 0.5, graph -0.02 nohead linewidth 5 linecolor rgb orange front
  plot work."/04.tsv" index h matrix using 1:2:(bins * $3) with image
}
unset multiplot
