# DNA-to-RNA attention: a row for each gene, mean over heads.
width = 760; height = 430
load "style.gp"
set margins 8, 12, 4, 3
set key off
unset grid
set style fill solid 1
set border 15
set xrange [-0.5:bins - 0.5]
set yrange [genes - 0.5:-0.5]
set cbrange [0:*]
set xlabel "key: bin of the DNA window"
set ylabel "query gene"
set cblabel "attention, times uniform" textcolor rgb text
load "site_labels.gp"
set arrow 1 from causal_from - 0.5, graph 1.02 to causal_to - 0.5, graph 1.02 nohead linewidth 5 linecolor rgb green front
set arrow 2 from decoy_from - 0.5, graph 1.02 to decoy_to - 0.5, graph 1.02 nohead linewidth 5 linecolor rgb orange front
plot work."/05.tsv" matrix with image
