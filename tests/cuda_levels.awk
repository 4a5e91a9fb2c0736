# Counts what a warp issues in a kernel, from the instructions and loops that cuda_loops.awk found: outside
# the loops that do the work, in one turn of them, and in one turn of such loops inside them. One line per
# kernel, separated by tabs: GPU architecture, mangled name, registers, and for each of the three the
# instructions, tensor-core work (multiplies of 16 x 8 x 16 in bfloat16, of 16 x 8 x 8 in tf32), clocks of
# shared memory and accesses to global memory.
#
# Loops that do the work have a variable number of turns, and tensor-core instructions or, in a kernel
# without any, accesses to global memory. Of several consecutive ones the longest counts if there are
# tensor-core instructions; otherwise all do: they are passes over the same row, or parts of one loop that
# the compiler split. Where paths part and meet again the longest counts: one of two forms of the same work,
# and code that a branch may skip as if it ran. Loops that do none of the work count as in cuda_loops.awk.

function accesses(i) { return base[i] ~ /^(LDG?|STG?|LDGSTS)$/ && predicate[i] != "!PT" }

# A multiply of 16 x 8 x 16 in bfloat16, or of 16 x 8 x 8 in tf32, is 1.
function tensor_work(i) {
  if (!is("tensor", i)) return 0
  return text[i] ~ /MMA\.1684|MMA\.1688\.F(16|32)(\.BF16)? / ? 0.5 : 1
}

# Clocks of a multiprocessor's shared memory, 128 bytes each, without conflicts.
function shared_clocks(i) {
  if (predicate[i] == "!PT" || base[i] !~ /^(LDSM?|STSM?|LDGSTS)$/) return 0
  if (text[i] ~ /\.128|\.MT?88\.4/) return 4
  return text[i] ~ /\.64|\.MT?88\.2/ ? 2 : 1
}

# Sets level[loop]: 0 for a loop that does none of the work, -1 for one that a longer one represents.
function find_levels(tensor,   loop, other, i) {
  for (loop = 1; loop <= loops; loop++) {
    level[loop] = 0
    for (i = 1; i <= count && !turns[loop] && !level[loop]; i++) {
      if (((loop, i) in inside) && (tensor ? is("tensor", i) : accesses(i))) level[loop] = 1
    }
  }
  for (loop = 1; tensor && loop <= loops; loop++) {
    if (level[loop] != 1) continue
    for (other = 1; other <= loops; other++) {
      if (other == loop || !level[other] || within(loop, other) || within(other, loop)) continue
      if (size[other] > size[loop] || (size[other] == size[loop] && other < loop)) level[loop] = -1
    }
  }
  for (loop = 1; loop <= loops; loop++) {
    for (other = 1; level[loop] == 1 && other <= loops; other++) {
      if (level[other] > 0 && within(loop, other)) level[loop] = 2
    }
  }
}

# True if the path from i to `to` leads back to the head of a loop.
function leads_back(i, to,   loop) {
  loop = (to in loop_at) ? loop_at[to] : 0
  return loop && ((loop, i) in inside) && to <= i
}

# The weight of instruction i in `region`: a loop that does the work, or 0 for code outside all of them.
function weight(i, region,   loop, times) {
  times = 1
  for (loop = 1; loop <= loops; loop++) {
    if (!((loop, i) in inside) || loop == region || (region && within(region, loop))) continue
    if (level[loop]) return 0
    if (turns[loop]) times *= turns[loop]
  }
  return times
}

# The longest path from instruction `start` to the end of the kernel, or of a turn of the loop `region`:
# adds what it issues to sums[l, ..].
function longest_way(start, region, l, sums,   stack, top, state, next_on, length_of, i, k, to, best, times) {
  stack[top = 1] = start
  while (top) {
    i = stack[top]
    best = 0
    if (!(i in state)) state[i] = 0
    else if (state[i] == 2) { top--; continue }
    for (k = 1; k <= 2; k++) {
      to = k == 1 ? (falls[i] ? i + 1 : 0) : target[i]
      if (!to || to > count || (region && !((region, to) in inside))) continue
      if (leads_back(i, to)) {
        if (region && to == head[region] && !best) best = 1  # the end of the turn
        continue
      }
      if (!(to in state)) stack[++top] = to
      else if (length_of[to] > best) { best = length_of[to]; next_on[i] = to }
    }
    if (stack[top] != i) continue
    if (!region && !best) best = 1
    length_of[i] = best ? best + weight(i, region) : 0
    state[i] = 2
    top--
  }
  for (i = start; i; i = next_on[i]) {
    times = weight(i, region)
    sums[l, 1] += times
    sums[l, 2] += times * tensor_work(i)
    sums[l, 3] += times * shared_clocks(i)
    sums[l, 4] += times * accesses(i)
  }
}

function count_levels(tensor,   l, k, loop, sums, line) {
  find_levels(tensor)
  longest_way(1, 0, 0, sums)
  for (loop = 1; loop <= loops; loop++) if (level[loop] > 0) longest_way(head[loop], loop, level[loop], sums)
  for (l = 0; l <= 2; l++) for (k = 1; k <= 4; k++) line = line "\t" sums[l, k] + 0
  return line
}
