# Half the squared error and the Huber loss, over the residuals of the demo's test pairs.
width = 760; height = 400
load "style.gp"
delta = 1.0
huber(r) = abs(r) <= delta ? 0.5 * r * r : delta * (abs(r) - 0.5 * delta)
step = 0.05
bin(v) = step * floor(v / step) + step / 2
set xrange [-2.5:2.5]
set yrange [0:2.5]
set y2range [0:150]
set y2tics 50 textcolor rgb muted
set border 11
set xlabel "residual: predicted minus measured effect"
set ylabel "loss"
set y2label "test pairs" textcolor rgb muted
set boxwidth step
set samples 401
set key top center
plot work."/08.tsv" using (bin($1)):(1) axes x1y2 smooth frequency with boxes linecolor rgb grey title "residuals of the demo", \
  0.5 * x * x with lines dashtype (5,4) linewidth 2 linecolor rgb orange title "half the squared error", \
  huber(x) with lines linewidth 2.5 linecolor rgb blue title "Huber, δ = 1"
