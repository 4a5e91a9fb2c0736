# Names the two shaded places above the topmost panel.
set label 1 "site that acts" at first (causal_from + causal_to - 1) / 2.0, graph 1.06 center textcolor rgb green
set label 2 "decoy" at first (decoy_from + decoy_to - 1) / 2.0, graph 1.06 center textcolor rgb orange
