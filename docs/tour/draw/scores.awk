# From the flattened metrics.json (json.awk): kind, "name", r and its interval of the model (0), of the baselines
# (1), of the controls (2) and of the noise ceiling (3). A value without an interval has r at both ends.
{ v[$1] = $2; order[++n] = $1 }

function score(kind, name, r, low, high) {
  if (r == "null" || r == "") return
  printf "%d \"%s\" %s %s %s\n", kind, name, r, low == "" ? r : low, high == "" ? r : high
}
function interval(kind, name, path) {
  score(kind, name, v[path ".value"], v[path ".interval_95.0"], v[path ".interval_95.1"])
}
# A control has an interval of what r loses: shown as that loss below the model's r.
function control(name, path,   r) {
  r = v["pearson.value"]
  if (!((path ".pearson") in v)) return
  score(2, name, v[path ".pearson"], r - v[path ".difference.interval_95.1"], r - v[path ".difference.interval_95.0"])
}

END {
  score(3, "best any model can do", v["noise_ceiling"])
  interval(0, "model", "pearson")
  for (i = 1; i <= n; i++) {
    if (order[i] !~ /^baselines\.[a-z_]+\.label$/) continue
    path = order[i]
    sub(/\.label$/, "", path)
    interval(1, "baseline: " v[order[i]], path ".pearson")
  }
  control("model, DNA shuffled", "controls.shuffled_dna")
  control("model, mean window", "controls.mean_dna")
  control("model, genes shuffled", "controls.shuffled_genes")
}
