# RNA-to-protein attention, mean over heads; the diagonal would be a protein that attends to its own transcript.
width = 760; height = 520
load "style.gp"
set margins 8, 12, 4, 2
set key off
unset grid
set style fill solid 1
set border 15
set size ratio -1
set xrange [-0.5:genes - 0.5]
set yrange [genes - 0.5:-0.5]
set cbrange [0:2]
set xlabel "key: RNA of a gene"
set ylabel "query protein"
set cblabel "attention, times uniform" textcolor rgb text
plot work."/06.tsv" matrix with image, x with lines dashtype (3,3) linewidth 1.5 linecolor rgb orange
