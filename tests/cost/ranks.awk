# A cost model of data-parallel training: from the terms of tests/cost/ranks.tsv, the time of a step and of an epoch by
# number of ranks and link, as Markdown. docs/scale-cost.md explains it and holds the output.
#
#   awk -f tests/cost/ranks.awk tests/cost/ranks.tsv

BEGIN { FS = "\t" }
/^#/ { next }
NF != 5 { print "ranks: line " NR ": five columns expected" > "/dev/stderr"; broken = 1; exit 2 }
{
  value[$1] = $2
  order[++terms] = $1
  row[$1] = "| " $1 " | " shown($2, $3) " | " $4 " | " $5 " |"
}

function max(a, b) { return a > b ? a : b }
function ceil(x) { return x == int(x) ? x : int(x) + 1 }
function term(name) {
  if (!(name in value)) { print "ranks: no term " name > "/dev/stderr"; broken = 1; exit 2 }
  return value[name]
}

# A number with the unit that makes it short.
function shown(x, unit) {
  if (unit == "s") return x < 1e-3 ? x * 1e6 " µs" : x < 1 ? x * 1e3 " ms" : x " s"
  if (unit ~ /^bytes/) return (x < 1e9 ? x / 1e6 " MB" : x / 1e9 " GB") (unit == "bytes" ? "" : "/s")
  return unit == "-" ? x : x " " unit
}
function time(s) {
  if (s < 0.9995) return sprintf("%.3g ms", s * 1e3)
  return s < 600 ? sprintf("%.3g s", s) : s < 7200 ? sprintf("%.3g min", s / 60) : sprintf("%.3g h", s / 3600)
}

# The operations of a step with so many samples, relative to a batch of 8.
function work(samples) {
  return (term("shared_gflop") + samples * term("sample_gflop")) / (term("shared_gflop") + 8 * term("sample_gflop"))
}

# Sets step, sum and exposed of one step. fixed: seconds that do not depend on the rank's share of the batch. DNA of
# every step comes from the disk if read > 0, its bytes/s, and then for several ranks from a file server behind one link.
function cost(ranks, batch, link, step8, fixed, add, read,   samples, compute, bytes, buckets, backward, rate, reading) {
  samples = batch / ranks
  compute = fixed + (step8 - fixed) * work(samples)
  sum = exposed = 0
  rate = read
  if (ranks > 1) {
    bytes = 4 * term("parameters")
    buckets = ceil(term("parameters") / term("bucket"))
    rate = term(link) * term("reached")
    sum = 2 * (ranks - 1) / ranks * bytes / rate + bytes / add + buckets * 2 * (ranks - 1) * term("latency " link)
    backward = (compute - fixed) * term("backward_share")
    # The sum of the last bucket begins when the backward pass has ended.
    exposed = max(sum - backward * (buckets - 1) / buckets, sum / buckets)
  }
  reading = read > 0 ? batch * term("dna_bytes") / rate : 0
  step = max(compute + exposed, sum + reading)
  return compute
}
function epoch(ranks, batch, predict) {
  return ceil(term("pairs") / batch) * step + term("validation") * predict / ranks
}

# Rows for each link and number of ranks. step8: seconds of a step at batch 8 on one rank, fixed: of those, what does not
# depend on the batch; predict: seconds of one enhancer; add, read: bytes/s, read 0 where DNA stays on the device. scaled:
# a batch of 8 for each rank.
function table(links, counts, step8, predict, fixed, add, read, scaled,   l, n, i, j, batch, compute, alone, took) {
  print "| link | ranks | batch | computes | sum | of it not hidden | step | epoch | speed-up |"
  print "|---|---|---|---|---|---|---|---|---|"
  compute = cost(1, 8, "", step8, fixed, add, read)
  alone = epoch(1, 8, predict)
  printf "| - | 1 | 8 | %s | - | - | %s | %s | 1 |\n", time(compute), time(step), time(alone)
  l = split(links, link, ","); n = split(counts, count, " ")
  for (i = 1; i <= l; i++) for (j = 1; j <= n; j++) {
    batch = scaled ? 8 * count[j] : max(8, count[j])
    compute = cost(count[j], batch, link[i], step8, fixed, add, read)
    took = epoch(count[j], batch, predict)
    printf "| %s | %d | %d | %s | %s | %s | %s | %s | %.3g |\n", link[i], count[j], batch, time(compute), time(sum), \
      time(exposed), time(step), time(took), alone / took
  }
}

END {
  if (broken) exit 2
  print "| term | value | kind | from |"
  print "|---|---|---|---|"
  for (i = 1; i <= terms; i++) print row[order[i]]

  links = "10 GbE,25 GbE,100 GbE,InfiniBand NDR"
  update = term("update_bytes") / term("cpu_memory")
  faster = term("cpu_faster")
  print "\n### CPU nodes of 2 cores, float32\n"
  table("10 GbE,100 GbE", "2 4 8 16", term("cpu_step"), term("cpu_predict"), update, term("cpu_add"), term("cpu_read"))
  print "\n### CPU nodes 16 times as fast, float32 (estimates)\n"
  table(links, "2 4 8 16", update + (term("cpu_step") - update) / faster, term("cpu_predict") / faster, update, \
    term("cpu_add"), term("cpu_read"))
  print "\n### GPUs of one host, bf16 (estimates)\n"
  table("NVLink 4,PCIe 5 x16", "2 4 8", term("gpu_step_bf16"), term("gpu_predict_bf16"), term("gpu_fixed"), \
    term("gpu_add"), 0)
  print "\n### GPUs, bf16, a batch of 8 for each (estimates)\n"
  table("NVLink 4,PCIe 5 x16,InfiniBand NDR", "2 4 8", term("gpu_step_bf16"), term("gpu_predict_bf16"), \
    term("gpu_fixed"), term("gpu_add"), 0, 1)
  print "\n### GPUs of one host, float32 (estimates)\n"
  table("NVLink 4,PCIe 5 x16", "2 4 8", term("gpu_step_fp32"), term("gpu_predict_fp32"), term("gpu_fixed"), \
    term("gpu_add"), 0)
}
