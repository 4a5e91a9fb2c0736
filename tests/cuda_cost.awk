# A cost model of a step: from the work listed by count_step, the instructions that a warp of each kernel
# issues, and the constants and kernels of the table, it estimates the time of each family of kernels.
#
#   awk [-v details=1] -f tests/cuda_cost.awk tests/cuda_cost.tsv LEVELS LIST
#
# LEVELS: output of cuda_levels.awk for one GPU architecture, with names as the reports print them; if it is
# empty, only the requested work is reported. LIST: output of count_step, with the same names. details: each
# kernel too.
#
# The time of a kernel is the longest of: its bytes at the reached bandwidth; the instructions, the
# tensor-core work and the shared-memory clocks of the blocks on the busiest multiprocessor; the latency of
# its turns, wave by wave. The time of a product is that of its operations at the rate of its type, times
# the share that the best tile reaches in whole waves, or of its bytes; a product with few tiles is split
# over k. Each node adds a gap.

BEGIN { FS = "\t" }

function fail(what) { print "cuda_cost: " what > "/dev/stderr"; broken = 1; exit 2 }
function max(a, b) { return a > b ? a : b }
function min(a, b) { return a < b ? a : b }
function ceil(x) { return x == int(x) ? x : int(x) + 1 }

# A product and quotient of numbers and columns of the line, evaluated from the left.
function value(text,   parts, ops, n, i, x, word) {
  n = split(text, parts, /[*\/]/)
  gsub(/[^*\/]/, "", text)
  for (i = 1; i <= n; i++) {
    word = parts[i]
    if (word !~ /^[0-9.]+$/) {
      if (!(word in size)) fail("the table: what is " word "?")
      word = size[word]
    }
    x = i == 1 ? word : substr(text, i - 1, 1) == "*" ? x * word : x / max(word, 1)
  }
  return x
}

# How often the loops of a level turn; `accesses` to global memory are made in one turn.
function turns_of(text, accesses,   word) {
  if (text == "-") return accesses ? 1 : 0
  split(text, word, " ")
  if (word[1] == "turns") return ceil(value(word[2]))
  if (word[1] != "accesses") fail("the table: turns of '" text "'")
  return accesses ? value(word[2]) / accesses : 0
}

function row_of(name,   i) {
  for (i = 1; i <= rows; i++) if (name ~ pattern[i] && size["function"] ~ asked_by[i]) return i
  unknown[name] = 1
  return 0
}

# --- a line of the table
FILENAME == ARGV[1] && /^constant\t/ {
  split($3, of_gpu, " ")
  constant[$2, 1] = of_gpu[1]
  constant[$2, 2] = 2 in of_gpu ? of_gpu[2] : of_gpu[1]
  delete of_gpu
}
FILENAME == ARGV[1] && /^tile\t/ { tile_m[++tiles] = $2; tile_n[tiles] = $3; tile_share[tiles, 0] = $4; tile_share[tiles, 1] = $5 }
FILENAME == ARGV[1] && /^kernel\t/ {
  if (NF != 7) fail(FILENAME ": line " FNR ": not the 7 columns of a kernel")
  asked_by[++rows] = $2 ~ /^[a-z_]+:/ ? "^" substr($2, 1, index($2, ":") - 1) : ""
  pattern[rows] = asked_by[rows] ? substr($2, index($2, ":") + 1) : $2
  family[rows] = $3; bytes[rows] = $4; outer[rows] = $5; inner[rows] = $6; figure[rows] = $7
}
FILENAME == ARGV[1] { next }

# --- a line of LEVELS; among kernels of the same name the longest counts
FILENAME == ARGV[2] {
  if (NF != 15) fail(FILENAME ": line " FNR ": not the 15 columns of a kernel")
  if ($2 in issued && issued[$2] >= $4 + $8 + $12) next
  issued[$2] = $4 + $8 + $12
  counted = 1
  registers[$2] = $3
  for (i = 0; i < 3; i++) for (k = 1; k <= 4; k++) unit[$2, i, k] = $(4 + 4 * i + k - 1)
  next
}

# --- a line of LIST
/^# memory\t/ {
  memory[$2 " " $3] = $4
  results[$2 " " $3] = $5
  arenas[$2 " " $3] = sprintf("%.2f lasting, %.2f step, %.2f scratch", $6 / 1e9, $7 / 1e9, $8 / 1e9)
  next
}
FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
{
  if (NF != length(column)) fail(FILENAME ": line " FNR ": not the columns of its first line")
  for (word in column) size[word] = $column[word]
  step = size["workload"] " " size["precision"]
  if (!(step in seen)) { seen[step] = 1; steps[++step_count] = step }
  # Work around a recorded step is not part of it; a step without a recording consists of it.
  if (size["recorded"]) recorded[step] = 1
  step = step SUBSEP size["recorded"]
  nodes[step, size["kind"]] += size["times"]
  if (size["kind"] == "kernel") add_kernel()
  else if (size["kind"] == "product") add_product()
  else add("copies", size["bytes"], 0, 0)
}

# Adds a line to a family; us[]: microseconds of one launch by limit, on GPU 1 or 2 ("clocks": on either).
function add(name, moved, flop, instructions,   gpu, what, best) {
  if (!(name in order)) { order[name] = ++families; family_name[families] = name }
  count[step, name] += size["times"]
  gigabytes[step, name] += size["times"] * moved / 1e9
  teraflop[step, name] += size["times"] * flop / 1e12
  mega_issued[step, name] += size["times"] * instructions / 1e6
  for (gpu = 1; gpu <= 2; gpu++) {
    us["memory"] = moved / 1e6 / constant["bandwidth", gpu] / constant["reached", gpu]
    best = "memory"
    for (what in us) if (us[what] > us[best]) best = what
    ms[step, name, gpu] += size["times"] * us[best] / 1e3
    if (gpu == 2) limited[step, name, best] += size["times"] * us[best]
    if (gpu == 2) each[step, size["name"]] += size["times"] * us[best] / 1e3
  }
  split("", us)
}

function clocks_to_us(clocks) { return clocks / constant["clock", 1] / 1e3 }

# Blocks that a multiprocessor holds at once.
function resident_blocks(warps,   blocks) {
  blocks = min(32, int(constant["threads", 1] / 32 / warps))
  blocks = min(blocks, int(constant["registers", 1] / 256 / ceil(registers[size["name"]] / 8) / warps))
  return max(1, min(blocks, int(constant["shared", 1] / (size["shared"] + 1024))))
}

function add_kernel(   row, i, turns, sum, k, warps, blocks, resident, issuing) {
  size["call"] = size["bytes"]
  size["type"] = size["precision"] == "bf16" ? 2 : 4
  size["lanes"] = size["blocks"] * size["threads"]
  row = row_of(size["name"])
  if (!(size["name"] in issued)) { uncounted[size["name"]] = 1; return add("other kernels", size["bytes"], 0, 0) }
  turns[0] = 1
  turns[1] = turns_of(row ? outer[row] : "-", unit[size["name"], 1, 4])
  turns[2] = turns_of(row ? inner[row] : "-", unit[size["name"], 2, 4])
  for (i = 0; i <= 2; i++) for (k = 1; k <= 3; k++) sum[k] += turns[i] * unit[size["name"], i, k]
  warps = ceil(size["threads"] / 32)
  blocks = ceil(size["blocks"] / constant["processors", 1])  # on the busiest multiprocessor
  resident = min(blocks, resident_blocks(warps))
  issuing = resident * warps / (resident * warps + constant["hiding", 1])
  us["issue"] = clocks_to_us(blocks * warps * sum[1] / 4 / issuing)
  us["tensor"] = clocks_to_us(blocks * warps * sum[2] / 4 * constant["mma", 1])
  us["shared"] = clocks_to_us(blocks * warps * sum[3])
  us["latency"] = clocks_to_us(ceil(blocks / resident) * (1 + turns[1] + turns[2]) * constant["latency", 1])
  if (row) note_figure(row, turns)
  add(row ? family[row] : "other kernels", row ? value(bytes[row]) : size["bytes"], \
    sum[2] * warps * size["blocks"] * (size["precision"] == "tf32" ? 2048 : 4096), sum[1] * warps * size["blocks"])
}

# The figure by which kernels are compared: instructions of the loop per tile or element.
function note_figure(row, turns,   word, name, whole, mma, all) {
  name = size["name"]
  split(figure[row], word, " ")
  if (word[1] == "-" || size["elements"] <= largest[name]) return
  largest[name] = size["elements"]
  all = turns[1] * unit[name, 1, 1] + turns[2] * unit[name, 2, 1]
  if (word[1] == "tile") {
    mma = turns[1] * unit[name, 1, 2] + turns[2] * unit[name, 2, 2]
    # mma for 16 x 64 x width: of 8 or 16 of k; at float32 accuracy six for each of 16.
    whole = word[2] * size["width"] / (size["precision"] == "tf32" ? 1 : 2) * (size["precision"] == "fp32" ? 6 : 1)
    if (mma) figures[name] = sprintf("%d a warp and tile of 16 x 64 x %d", \
      all / mma * whole, size["width"])
  } else {
    figures[name] = sprintf("%.0f an element", all * size["lanes"] / size["elements"])
  }
}

function add_product(   rate, i, whole, parts, waves, share, best) {
  split(size["name"], rate, " ")
  if (!((rate[1], 1) in constant)) fail(FILENAME ": line " FNR ": no rate for products in " rate[1])
  for (i = 1; i <= tiles; i++) {
    whole = ceil(size["n"] / tile_n[i]) * ceil(size["m"] / tile_m[i]) * size["problems"]
    parts = whole > constant["processors", 1] / 4 ? 1 : min(int(constant["processors", 1] / whole), ceil(size["k"] / 256))
    waves = ceil(whole * parts / constant["processors", 1])
    share = size["flop"] * parts / (2 * size["k"] * tile_m[i] * tile_n[i] * constant["processors", 1] * waves)
    best = max(best, share * tile_share[i, rate[1] == "fp32"])
  }
  us["product"] = size["flop"] / 1e6 / constant[rate[1], 1] / best
  add(size["function"] ~ /^attention/ ? "attention, products" : "products", size["bytes"], size["flop"], 0)
}

# --- the report
function most(step, name,   what, best, key, part) {
  for (key in limited) {
    split(key, part, SUBSEP)
    if (part[1] SUBSEP part[2] == step && part[3] == name && limited[key] > limited[step, name, best]) best = part[4]
  }
  return best
}

function sum_of(table, step,   i, sum) {
  for (i = 1; i <= families; i++) sum += table[step, family_name[i]]
  return sum
}

# The copies around a recorded step are not part of it.
function part_of_step(name) { return name SUBSEP (name in recorded ? 1 : 0) }

function report_nodes(name,   step) {
  step = part_of_step(name)
  printf "%s, %s: %d nodes: %d kernels, %d products, %d copies; %.2f TFLOP; %.2f GB of device memory (%s)\n", name, \
    name in recorded ? "recorded" : "not recorded", sum_of(count, step), nodes[step, "kernel"], \
    nodes[step, "product"], nodes[step, "copy"] + nodes[step, "fill"], sum_of(teraflop, step), memory[name] / 1e9, \
    arenas[name]
}

function report_time(name,   step, i, f, gap, gpu, total) {
  step = part_of_step(name)
  printf "\n%-26s %8s %8s %7s %9s %8s %8s  %s\n", name, "launches", "GB", "TFLOP", "M issued", "H100 ms", "H200 ms", \
    "bound by"
  for (i = 1; i <= families; i++) {
    f = family_name[i]
    if (!count[step, f]) continue
    printf "%-26s %8d %8.2f %7.2f %9.1f %8.2f %8.2f  %s\n", f, count[step, f], gigabytes[step, f], teraflop[step, f], \
      mega_issued[step, f], ms[step, f, 1], ms[step, f, 2], most(step, f)
    for (gpu = 1; gpu <= 2; gpu++) total[gpu] += ms[step, f, gpu]
  }
  gap = sum_of(count, step) * constant["gap", 1] / 1e3
  printf "%-26s %8s %8s %7s %9s %8.2f %8.2f\n", "gaps between nodes", "", "", "", "", gap, gap
  printf "%-26s %8d %8.2f %7.2f %9.1f %8.2f %8.2f  an estimate\n", "step", sum_of(count, step), \
    sum_of(gigabytes, step), sum_of(teraflop, step), sum_of(mega_issued, step), total[1] + gap, total[2] + gap
  printf "%-26s %8s %8s %7s %9s %8.0f %8.0f\n", "results a second", "", "", "", "", \
    1e3 * results[name] / (total[1] + gap), 1e3 * results[name] / (total[2] + gap)
  if (details) report_kernels(step)
}

# Each kernel and kind of product on an H200, the longest first.
function report_kernels(step,   key, part, longest) {
  longest = "sort -t '\t' -k 2nr"
  for (key in each) {
    split(key, part, SUBSEP)
    if (part[1] SUBSEP part[2] == step) printf "  %-60s\t%8.2f ms\n", part[3], each[key] | longest
  }
  close(longest)
}

function list(what, names,   name) {
  for (name in names) printf "%s%s\n", what, name | "sort"
  close("sort")
}

END {
  if (broken) exit 2
  print "what a step asks for, at paper scale:"
  for (i = 1; i <= step_count; i++) report_nodes(steps[i])
  list("no line in " ARGV[1] ", taken as without loops: ", unknown)
  if (!counted) exit
  print "\ninstructions of the loops that do the work:"
  for (name in figures) printf "  %s: %s\n", name, figures[name] | "sort"
  close("sort")
  print "\nestimates, not measured:"
  for (i = 1; i <= step_count; i++) report_time(steps[i])
  list("not among the kernels that were counted: ", uncounted)
}
