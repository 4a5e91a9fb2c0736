# z = x W^T + b and its layer norm, row by row: prints each number of z beside its normalised one.
# Input lines begin with what they are: weight (a row of W), bias, gamma, beta, x.
$1 == "weight" { rows++; for (j = 2; j <= NF; j++) w[rows, j] = $j; next }
$1 == "bias"   { for (j = 2; j <= NF; j++) bias[j - 1] = $j; next }
$1 == "gamma"  { for (j = 2; j <= NF; j++) gamma[j - 1] = $j; next }
$1 == "beta"   { for (j = 2; j <= NF; j++) beta[j - 1] = $j; next }
{
  mean = variance = 0
  for (o = 1; o <= rows; o++) {
    z[o] = bias[o]
    for (j = 2; j <= NF; j++) z[o] += w[o, j] * $j
    mean += z[o] / rows
  }
  for (o = 1; o <= rows; o++) variance += (z[o] - mean) ^ 2 / rows
  for (o = 1; o <= rows; o++) print z[o], gamma[o] * (z[o] - mean) / sqrt(variance + 1e-5) + beta[o]
}
