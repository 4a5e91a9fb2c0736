# Shades the site that acts and the decoy over the height of a panel whose x is the bin.
set object 1 rectangle from causal_from - 0.5, graph 0 to causal_to - 0.5, graph 1 behind \
  fillstyle solid 0.22 noborder fillcolor rgb green
set object 2 rectangle from decoy_from - 0.5, graph 0 to decoy_to - 0.5, graph 1 behind \
  fillstyle solid 0.22 noborder fillcolor rgb orange
