# Counts the instructions of kernels in the output of `cuobjdump -sass`. One line per kernel, separated by
# tabs: GPU architecture, mangled name; instructions, and among them tensor-core instructions, LDS, LDSM,
# STS and LDGSTS; instructions, tensor-core instructions and LDSM of one turn of the loop over tiles; last
# the loops inside that loop, each as INSTRUCTIONSxTURNS. "-": no such loop.
#
# Loops are found from the control flow: a branch back to an instruction that every path to the branch
# passes, and everything in between, wherever the compiler put it. The loop over tiles is the innermost one
# with tensor-core products and a variable number of turns; of several, the longest. A loop inside it counts
# as many times as it turns if its counter starts at a constant or the thread's number and steps and ends at
# constants; otherwise once (x?). Code that a branch may skip counts as if it ran.
#
# With -v levels=1, a line holds what cuda_levels.awk counts instead; that file is always read with this
# one.

function fail(what) { print "cuda_instructions: " what > "/dev/stderr"; broken = 1; exit 2 }

function hex(digits,   i, value) {
  for (i = 1; i <= length(digits); i++) value = 16 * value + index("0123456789abcdef", substr(digits, i, 1)) - 1
  return value
}

# --- an instruction: base[i] is the operation, text[i] everything after the predicate
function read_instruction(line,   word) {
  count++
  sub(/^[ \t]*\/\*/, "", line)
  number = hex(substr(line, 1, index(line, "*") - 1))
  at[number] = count
  address[count] = number
  sub(/^[0-9a-f]*\*\/ *[{]? */, "", line)
  sub(/ *[;&?].*/, "", line)
  gsub(/\.reuse/, "", line)
  predicate[count] = ""
  if (line ~ /^@/) {
    predicate[count] = substr(line, 2, index(line, " ") - 2)
    sub(/^[^ ]* */, "", line)
  }
  text[count] = line
  for (word = line; match(word, /[^UA-Z]R[0-9]+/); word = substr(word, RSTART + RLENGTH)) {
    number = substr(word, RSTART + 2, RLENGTH - 2) + 1
    if (number > registers) registers = number
  }
  word = line
  sub(/[ .].*/, "", word)
  base[count] = word
}

# True if it is of this kind. An instruction that can never run (@!PT) loads nothing.
function is(kind, i) {
  if (kind == "tensor") return base[i] ~ /MMA$/
  if (kind == "STS") return base[i] ~ /^STSM?$/
  return base[i] == kind && predicate[i] != "!PT"
}

# --- the control flow
function find_flow(   i, to) {
  for (i = 1; i <= count; i++) { target[i] = 0; entries[i] = ""; falls[i] = 1 }
  for (i = 1; i <= count; i++) {
    if (base[i] ~ /^(BRA|JMP)$/ && match(text[i], /0x[0-9a-f]+$/)) {
      to = hex(substr(text[i], RSTART + 2))
      if (!(to in at)) fail(name ": a branch leads to " substr(text[i], RSTART) ", where no instruction stands")
      target[i] = at[to]
      entries[at[to]] = entries[at[to]] " " i
      falls[i] = predicate[i] != "" || text[i] ~ /,/
    } else if (base[i] ~ /^(EXIT|RET)$/) {
      falls[i] = predicate[i] != ""
    }
  }
}

# True if a path from the first instruction to `to` does not pass `without`.
function reaches(to, without,   stack, top, i, seen) {
  split("", seen)
  stack[top = 1] = 1
  while (top) {
    i = stack[top--]
    if (i > count || i in seen || i == without) continue
    if (i == to) return 1
    seen[i] = 1
    if (target[i]) stack[++top] = target[i]
    if (falls[i]) stack[++top] = i + 1
  }
  return 0
}

# Adds to the body of `loop` everything that leads to `latch` without passing its head.
function add_body(loop, latch,   stack, top, i, k, from, n) {
  stack[top = 1] = latch
  while (top) {
    i = stack[top--]
    if ((loop, i) in inside) continue
    inside[loop, i] = 1
    size[loop]++
    if (i == head[loop]) continue
    if (i > 1 && falls[i - 1]) stack[++top] = i - 1
    n = split(entries[i], from, " ")
    for (k = 1; k <= n; k++) stack[++top] = from[k]
  }
}

function find_loops(   i, loop) {
  split("", inside); split("", size); split("", loop_at)
  loops = 0
  for (i = 1; i <= count; i++) {
    if (!target[i] || target[i] >= i || reaches(i, target[i])) continue
    if (!(target[i] in loop_at)) {
      loop_at[target[i]] = ++loops
      head[loops] = target[i]
      inside[loops, target[i]] = 1
      size[loops] = 1
      latch[loops] = i
    } else {
      latch[loop_at[target[i]]] = 0  # several branches back: the number of turns is unknown
    }
    add_body(loop_at[target[i]], i)
  }
  for (loop = 1; loop <= loops; loop++) turns[loop] = constant_turns(loop)
}

# --- turns of a loop whose counter starts, steps and ends at constants, else 0
function constant(word) {
  if (word ~ /^(U?RZ|SRZ)$/) return 0
  if (word ~ /^0x[0-9a-f]+$/) return hex(substr(word, 3))
  if (word ~ /^-0x[0-9a-f]+$/) return -hex(substr(word, 4))
  return "none"
}

# The words of instruction i without the predicates that sums carry along; word[2] is its destination.
function split_words(i, word,   line) {
  line = text[i]
  if (base[i] ~ /^U?IADD3?$/) gsub(/ U?PT,/, "", line)
  return split(line, word, /[ ,]+/)
}

# True if instruction i writes the register, possibly as a later register of several.
function writes(i, register,   word, span, further) {
  split_words(i, word)
  if (word[2] == register) return 1
  if (word[2] !~ /^U?R[0-9]+$/ || register !~ /^U?R[0-9]+$/ || (word[2] ~ /^U/) != (register ~ /^U/)) return 0
  span = word[1] ~ /MMA|\.128|\.MT?88\.4/ ? 4 : (word[1] ~ /\.64|\.WIDE|^CS2R$/ ? 2 : 1)
  further = substr(register, index(register, "R") + 1) - substr(word[2], index(word[2], "R") + 1)
  return further > 0 && further < span
}

# The last instruction before `before`, from `first` on, that writes the register, or 0.
function writer(register, first, before,   i) {
  for (i = before - 1; i >= first; i--) if (writes(i, register)) return i
  return 0
}

# The register's value on every path to instruction `to`; a thread's number is that of the first thread.
function value_at(register, to,   i, n, word) {
  i = writer(register, 1, to)
  if (!i || predicate[i] != "" || reaches(to, i)) return "none"
  n = split_words(i, word)
  if (base[i] == "S2R" && word[n] == "SR_TID.X") return 0
  if (word[1] !~ /^(MOV|UMOV|CS2R|IMAD\.MOV)/) return "none"
  return word[n] ~ /^U?R[0-9]+$/ ? value_at(word[n], i) : constant(word[n])
}

# What the only instruction of the loop that writes the register adds to it; sets `moved`.
function step_of(register, loop,   i, writers, word) {
  for (i = 1; i <= count; i++) if (((loop, i) in inside) && writes(i, register)) { moved = i; writers++ }
  if (writers != 1 || predicate[moved] != "" || base[moved] !~ /^(VIADD|U?IADD3?)$/) return "none"
  split_words(moved, word)
  return word[3] == register && (word[5] == "" || constant(word[5]) == 0) ? constant(word[4]) : "none"
}

function holds(value, relation, bound) {
  if (relation == "GE") return value >= bound
  if (relation == "GT") return value > bound
  if (relation == "LE") return value <= bound
  if (relation == "LT") return value < bound
  return relation == "EQ" ? value == bound : value != bound
}

# The predicate of the branch back, with "!" in front if it branches when that is false.
function condition(i) {
  if (predicate[i] != "") return text[i] ~ /,/ ? "" : predicate[i]
  return match(text[i], / !?U?P[0-9],/) ? substr(text[i], RSTART + 1, RLENGTH - 2) : ""
}

function constant_turns(loop,   wanted, goes_if, test, word, relation, value, bound, step, n) {
  wanted = latch[loop] ? condition(latch[loop]) : ""
  goes_if = sub(/^!/, "", wanted) ? 0 : 1
  test = wanted == "" ? 0 : writer(wanted, head[loop], latch[loop])
  if (!test || text[test] !~ /^U?ISETP\.(GE|GT|LE|LT|EQ|NE)\.(U32\.)?AND U?P[0-9], U?PT, [^,]*, [^,]*, U?PT$/) {
    return 0
  }
  split(text[test], word, /[ ,.]+/)
  relation = word[2]
  split(text[test], word, /[ ,]+/)
  bound = constant(word[5])
  step = step_of(word[4], loop)
  value = value_at(word[4], head[loop])
  if (bound == "none" || step == "none" || value == "none") return 0
  if (moved < test) value += step
  for (n = 1; n <= 4096; n++) {
    if (holds(value, relation, bound) != goes_if) return n
    value += step
  }
  return 0
}

# --- the loop over tiles
function multiplies(loop,   i) {
  for (i = 1; i <= count; i++) if (((loop, i) in inside) && is("tensor", i)) return 1
  return 0
}

function within(inner, outer) {
  return inner != outer && (outer, head[inner]) in inside && size[inner] < size[outer]
}

function tile_loop(   loop, other, best, innermost) {
  for (loop = 1; loop <= loops; loop++) {
    if (turns[loop] || !multiplies(loop)) continue
    innermost = 1
    for (other = 1; other <= loops; other++) {
      if (within(other, loop) && !turns[other] && multiplies(other)) innermost = 0
    }
    if (innermost && (!best || size[loop] > size[best])) best = loop
  }
  return best
}

function count_turn(loop,   i, other, times, sum, tensor, ldsm, nested) {
  for (i = 1; i <= count; i++) {
    if (!((loop, i) in inside)) continue
    times = 1
    for (other = 1; other <= loops; other++) {
      if (within(other, loop) && ((other, i) in inside) && turns[other]) times *= turns[other]
    }
    sum += times
    if (is("tensor", i)) tensor += times
    if (is("LDSM", i)) ldsm += times
  }
  for (other = 1; other <= loops; other++) {
    if (within(other, loop)) nested = nested " " size[other] "x" (turns[other] ? turns[other] : "?")
  }
  return sum "\t" tensor "\t" ldsm + 0 "\t" (nested == "" ? "-" : substr(nested, 2))
}

# --- a kernel
function close_kernel(   i, k, n, kinds, found, tile) {
  if (name == "") return
  # Behind the code there is padding: a branch to itself, then nothing.
  while (count && (base[count] == "NOP" || text[count] == sprintf("BRA 0x%x", address[count]))) count--
  if (!count) fail(name ": a kernel without instructions")
  if (levels) {
    find_flow()
    find_loops()
    for (i = 1; i <= count; i++) if (is("tensor", i)) tile = 1
    print kind "\t" name "\t" registers count_levels(tile + 0)
    name = ""
    return
  }
  n = split("tensor LDS LDSM STS LDGSTS", kinds, " ")
  printf "%s\t%s\t%d", kind, name, count
  for (k = 1; k <= n; k++) {
    found[k] = 0
    for (i = 1; i <= count; i++) if (is(kinds[k], i)) found[k]++
    printf "\t%d", found[k]
  }
  find_flow()
  tile = 0
  if (found[1]) { find_loops(); tile = tile_loop() }
  print "\t" (tile ? count_turn(tile) : "-\t-\t-\t-")
  name = ""
}

/^[ \t]*code for sm_/ { close_kernel(); kind = $3 }
/^[ \t]*Function : /  { close_kernel(); name = $3; count = registers = 0; split("", at) }
/^[ \t]*\/\*[0-9a-f]+\*\/ +[^ ]/ {
  if (name == "") fail("line " NR ": an instruction outside a kernel")
  read_instruction($0)
}
END { if (!broken) close_kernel() }
