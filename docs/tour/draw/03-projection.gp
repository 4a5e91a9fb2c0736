# Distribution of the projected numbers before and after layer normalisation.
width = 760; height = 380
load "style.gp"
step = 0.2
bin(v) = step * floor(v / step) + step / 2
set xlabel "value"
set ylabel "numbers in the window"
set xrange [-4:4]
set yrange [0:*]
set boxwidth step
set key top left
plot work."/03.tsv" using (bin($1)):(1) smooth frequency with boxes linecolor rgb grey title "x W^T + b", \
  work."/03.tsv" using (bin($2)):(1) smooth frequency with boxes linecolor rgb blue title "after LayerNorm"
