# The look that all figures of the tour share. Set before: width and height in pixels, and out, the file.
set terminal svg size width, height font "Helvetica,Arial,sans-serif,15" background "#ffffff" enhanced
set output out
text = "#1b2430"
muted = "#5b6675"
grey = "#8d97a5"
blue = "#1f6fb5"     # attention, training
red = "#c03a4b"      # gradient, validation
green = "#1f8a5b"    # the site that acts
orange = "#b54d12"   # the decoy
purple = "#7a55b5"
set border 3 linecolor rgb muted
set tics nomirror out scale 0.6 textcolor rgb text
set grid linetype 1 linecolor rgb "#e3e7ec"
set key textcolor rgb text samplen 2 spacing 1.2
set xlabel textcolor rgb text
set ylabel textcolor rgb text
set title textcolor rgb text font ",16"
set style fill solid 0.35 noborder
set palette defined (0 "#ffffff", 0.25 "#c6dcf0", 0.6 "#4a90cd", 1 "#0b3c6b")
# A step for the ticks of an axis: 1, 2 or 5 times a power of ten, so that four or so fit into a span.
decade(v) = 10.0 ** floor(log10(v / 4.0))
tick(v) = decade(v) * (v / 4.0 / decade(v) < 1.5 ? 1 : v / 4.0 / decade(v) < 3.5 ? 2 : v / 4.0 / decade(v) < 7.5 ? 5 : 10)
