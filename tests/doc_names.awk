# Finds where a name is defined in a source file: candidates(FILE, TEXT) for tests/doc_links.awk.
# Lines are kept without their comments; each file is read once.

function load(file,   line, n, hash) {
  if (file in lines_of) return
  n = 0
  hash = file ~ /(\.sh|\.awk|\.gp|\.py|\.mk|Makefile)$/
  while ((getline line < file) > 0) {
    n++
    raw[file, n] = line
    sub(/\r$/, "", line)
    if (hash) sub(/^[ \t]*#.*/, "", line)
    else sub(/\/\/.*/, "", line)
    code[file, n] = line
  }
  close(file)
  lines_of[file] = n
}

# A regular expression that matches the text itself.
function literal(text) {
  gsub(/[^A-Za-z0-9_ ]/, "[&]", text)
  gsub(/\[\^\]/, "\\^", text)
  gsub(/\[\\\]/, "\\\\", text)
  return text
}

# The position of `name` as a whole word followed by `after`, from position `from` on; 0 if there is none.
function word_at(line, name, after, from,   rest, at, before, behind) {
  while (1) {
    rest = substr(line, from)
    at = index(rest, name after)
    if (at == 0) return 0
    at += from - 1
    before = at > 1 ? substr(line, at - 1, 1) : " "
    behind = substr(line, at + length(name after), 1)
    if (before !~ /[A-Za-z0-9_]/ && (after != "" || behind !~ /[A-Za-z0-9_]/)) return at
    from = at + 1
  }
}

# The text after the parentheses that open at the end of `head`, up to its first ; or {.
function behind_arguments(file, n, from,   line, depth, i, c, more) {
  depth = 0
  for (more = 0; more < 16; more++) {
    line = code[file, n + more]
    for (i = more == 0 ? from : 1; i <= length(line); i++) {
      c = substr(line, i, 1)
      if (c == "(") depth++
      else if (c == ")") depth--
      else if (depth == 0 && (c == ";" || c == "{")) return c
    }
  }
  return ";"
}

# True if the text before a name is that of a declaration: a type and nothing computed.
function is_type(head, qualified,   first) {
  gsub(/__launch_bounds__\([^)]*\)|\[\[[a-z_]+\]\]/, "", head)
  if (head ~ /^[ \t]*$/) return qualified
  if (head !~ /^[ \t]*[A-Za-z_][A-Za-z0-9_:<>,*& \t]*[ \t*&>]$/) return 0
  first = head
  sub(/^[ \t]*/, "", first)
  sub(/[^A-Za-z0-9_].*/, "", first)
  return first !~ /^(return|else|throw|case|delete|new|goto|if|while|for|switch|do|using|friend|typename)$/
}

# How line n defines `name`: 2 a definition, 1 a declaration, 0 neither. C++, CUDA.
function defines_cpp(file, n, name,   line, at, head, qualified, tail) {
  line = code[file, n]
  if (line ~ ("^[ \t]*#[ \t]*define[ \t]+" name "([^A-Za-z0-9_]|$)")) return 2
  if (line ~ ("(^|[^A-Za-z0-9_])(struct|class|enum|union)[ \t]+" name "([^A-Za-z0-9_]|$)")) {
    return line ~ /;[ \t]*$/ && line !~ /\{/ ? 0 : 2
  }
  if (line ~ ("^[ \t]*using[ \t]+" name "[ \t]*=")) return 2
  at = word_at(line, name, "", 1)
  if (at == 0) return 0
  head = substr(line, 1, at - 1)
  tail = substr(line, at + length(name))
  qualified = sub(/([A-Za-z_][A-Za-z0-9_]*(<[^>]*>)?::)+$/, "", head)
  if (head ~ /^[ \t]*$/ && n > 1) head = code[file, n - 1]  # the type has its own line
  if (!is_type(head " ", qualified)) return 0
  if (tail ~ /^\(/) return behind_arguments(file, n, at + length(name)) == "{" ? 2 : 1
  if (tail ~ /^(\[[^]]*\])*[ \t]*(=[^=]|=$|\{)/) return 2
  return tail ~ /^(\[[^]]*\])*;/ ? 1 : 0
}

function defines(file, n, name,   line) {
  line = code[file, n]
  if (file ~ /\.(cc|cu|h|cuh|inc)$/) return defines_cpp(file, n, name)
  if (file ~ /\.py$/) return line ~ ("^[ \t]*(def|class)[ \t]+" name "[^A-Za-z0-9_]") ? 2 : 0
  if (file ~ /\.awk$/) return line ~ ("^function[ \t]+" name "\\(") ? 2 : 0
  if (file ~ /(Makefile|\.mk)$/) return line ~ ("^" name ":([^=]|$)") ? 2 : line ~ ("^" name "[ \t]*[:?+]?=") ? 2 : 0
  return line ~ ("^[ \t]*(function[ \t]+)?" name "[ \t]*\\(\\)") ? 2 : 0
}

# True if line n is in the body of class `name`, or names the class before ::.
function within(file, n, name,   i, line, indent) {
  if (code[file, n] ~ ("(^|[^A-Za-z0-9_])" name "(<[^>]*>)?::")) return 1
  for (i = n; i > 0; i--) {
    line = code[file, i]
    if (line ~ ("^[ \t]*(struct|class|namespace)[ \t]+" name "([^A-Za-z0-9_;]|$)") && line !~ /;[ \t]*$/) return 1
    if (line ~ /^};/) return 0
  }
  return 0
}

# Fills found[1..N] with the lines of `file` where the name in `text` occurs, and returns N: its
# definitions, otherwise its declarations, otherwise all lines of code that contain it.
function candidates(file, text, found,   n, i, rank, best, name, scope, part, parts, suite, kind, signature) {
  load(file)
  for (i in found) delete found[i]
  if (text ~ /^[A-Za-z0-9_]+\.[A-Za-z0-9_]+$/) {
    suite = text
    sub(/\./, ", ", suite)
    n = 0
    for (i = 1; i <= lines_of[file]; i++) {
      if (code[file, i] ~ ("^(TYPED_)?TEST(_[FP])?\\(" suite "\\)")) found[++n] = i
    }
    if (n > 0) return n
  }
  signature = match(text, /\(.*/) ? substr(text, RSTART) : "()"
  sub(/\(.*/, "", text)
  parts = split(text, part, "::")
  name = part[parts]
  signature = signature == "()" ? "" : name signature
  scope = parts > 1 ? part[parts - 1] : ""
  best = -1
  n = 0
  for (i = 1; i <= lines_of[file]; i++) {
    if (index(code[file, i], name) == 0 || word_at(code[file, i], name, "", 1) == 0) continue
    rank = name ~ /^[A-Za-z0-9_]+$/ ? defines(file, i, name) : 0
    if (scope != "" && !within(file, i, scope)) continue
    if (signature != "" && index(code[file, i], signature) == 0) continue
    if (rank < best) continue
    if (rank > best) n = 0
    best = rank
    found[++n] = i
  }
  return n
}
