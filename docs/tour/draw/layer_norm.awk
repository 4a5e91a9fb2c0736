# Layer norm of one row and the gradient of a loss behind it: by the rule of docs/tour/09-reverse-mode.md,
# and by central differences of many steps h. Prints h and the relative error of the differences, in
# float64 and with every result rounded to float32; -v show=N prints the first N numbers of both gradients instead.
# -v planted=1 leaves the last term out of the rule: an error that the comparison must find.
{ d = NF; for (j = 1; j <= d; j++) x[j] = $j }

END {
  # gamma, and the loss sum_j c_j y_j, whose cotangent at y is c: any fixed numbers do.
  for (j = 1; j <= d; j++) { gamma[j] = 1 + j / d; c[j] = cos(j) }
  rule()
  if (show) {
    difference(1e-4, 0)
    for (j = 1; j <= show && j <= d; j++) printf "%2d %12.8f %12.8f\n", j, dx[j], numeric[j]
    exit
  }
  for (k = 0; k <= 48; k++) {
    h = 10 ^ (-k / 4)
    printf "%.6g %.6g", h, difference(h, 0)
    printf " %.6g\n", difference(h, 1)
  }
}

# Rounds to 24 bits of mantissa where single is 1.
function rounded(v, single,   unit) {
  if (!single || v == 0) return v
  unit = 2 ^ (floor(log(v < 0 ? -v : v) / log(2)) - 23)
  return floor(v / unit + 0.5) * unit
}
function floor(v,   i) { i = int(v); return i > v ? i - 1 : i }

function loss(single,   j, mean, variance, scale, sum) {
  for (j = 1; j <= d; j++) mean = rounded(mean + x[j], single)
  mean = rounded(mean / d, single)
  for (j = 1; j <= d; j++) variance = rounded(variance + (x[j] - mean) ^ 2, single)
  scale = rounded(1 / sqrt(variance / d + 1e-5), single)
  for (j = 1; j <= d; j++) sum = rounded(sum + c[j] * gamma[j] * (x[j] - mean) * scale, single)
  return sum
}

# dx_j = s (c_j - mean of c - n_j * mean of c n), c times gamma.
function rule(   j, mean, variance, s, n, sum, dot) {
  for (j = 1; j <= d; j++) mean += x[j] / d
  for (j = 1; j <= d; j++) variance += (x[j] - mean) ^ 2 / d
  s = 1 / sqrt(variance + 1e-5)
  for (j = 1; j <= d; j++) {
    n[j] = (x[j] - mean) * s
    sum += c[j] * gamma[j] / d
    dot += c[j] * gamma[j] * n[j] / d
  }
  for (j = 1; j <= d; j++) dx[j] = s * (c[j] * gamma[j] - sum - (planted ? 0 : n[j] * dot))
}

# Fills numeric[] by central differences of step h; the relative error of the rule against it.
function difference(h, single,   j, kept, up, low, miss, size) {
  for (j = 1; j <= d; j++) {
    kept = x[j]
    x[j] = rounded(kept + h, single)
    up = loss(single)
    low = x[j]
    x[j] = rounded(kept - h, single)
    up -= loss(single)
    low -= x[j]
    x[j] = kept
    numeric[j] = low == 0 ? 0 : up / low
    miss += (numeric[j] - dx[j]) ^ 2
    size += dx[j] ^ 2
  }
  return sqrt(miss / size)
}
