# The check behind tests/doc_links.sh: reads the paths of the project, then every Markdown file among them.
# Prints one line per fault, FILE:LINE: what is wrong. With -v fix=1, a file with updated line numbers is
# written to the folder `renewed` under a number, and number and name to its `list`.

{ exists[$0] = 1 }

END {
  faults = links = files = 0
  for (path in exists) if (path ~ /\.md$/) order[++files] = path
  sort(order, files)
  for (i = 1; i <= files; i++) read_headings(order[i])
  for (i = 1; i <= files; i++) check_file(order[i])
  printf "%d links in %d Markdown files, %d faults\n", links, files, faults
  exit faults > 0
}

function sort(list, n,   i, j, t) {
  for (i = 2; i <= n; i++) {
    t = list[i]
    for (j = i - 1; j > 0 && list[j] > t; j--) list[j + 1] = list[j]
    list[j + 1] = t
  }
}

function fault(text) {
  faults++
  printf "%s:%d: %s\n", md, md_line, text
}

# GitHub's slug of a heading: lower case, spaces to hyphens, other punctuation left out.
function slug(heading) {
  sub(/^#+[ \t]+/, "", heading)
  sub(/[ \t]+#*[ \t]*$/, "", heading)
  while (match(heading, /\]\([^)]*\)/)) {
    heading = substr(heading, 1, RSTART - 1) substr(heading, RSTART + RLENGTH)
  }
  heading = tolower(heading)
  gsub(/[!-,.\/:-@\[-^`{-~]/, "", heading)
  gsub(/ /, "-", heading)
  return heading
}

# True if the line is the border of a fenced block. Sets `fence` to the marks that end it.
function fenced(line,   marks) {
  if (!match(line, /^[ \t>]*(```+|~~~+)/)) return 0
  marks = substr(line, RSTART, RLENGTH)
  gsub(/[ \t>]/, "", marks)
  if (fence == "") fence = marks
  else if (substr(marks, 1, length(fence)) == fence) fence = ""
  return 1
}

function read_headings(file,   line, name, seen, id) {
  fence = ""
  while ((getline line < file) > 0) {
    if (fenced(line) || fence != "") continue
    while (match(line, /(id|name)="[^"]+"/)) {
      id = substr(line, RSTART, RLENGTH)
      gsub(/^[a-z]+="|"$/, "", id)
      heading[file, id] = 1
      line = substr(line, RSTART + RLENGTH)
    }
    if (line !~ /^#+[ \t]/) continue
    name = slug(line)
    if ((file, name) in heading) heading[file, name "-" (++repeated[file, name])] = 1
    else heading[file, name] = 1
  }
  close(file)
}

# Replaces brackets inside code by control characters, so that only those of links are left.
function hide_code(line,   out, rest, run) {
  out = ""
  rest = line
  while (match(rest, /`+/)) {
    run = substr(rest, RSTART, RLENGTH)
    out = out masked(substr(rest, 1, RSTART - 1)) run
    rest = substr(rest, RSTART + RLENGTH)
    if (span == "") span = run
    else if (span == run) span = ""
  }
  return out masked(rest)
}
function masked(text) {
  if (span == "") return text
  gsub(/\[/, "\001", text)
  gsub(/\]/, "\002", text)
  gsub(/\(/, "\003", text)
  gsub(/\)/, "\004", text)
  return text
}
function unmasked(text) {
  gsub(/\001/, "[", text)
  gsub(/\002/, "]", text)
  gsub(/\003/, "(", text)
  gsub(/\004/, ")", text)
  return text
}

# The text of a link that ends with `before`: back to its opening bracket.
function text_before(before,   depth, i, c) {
  depth = 1
  for (i = length(before); i > 0; i--) {
    c = substr(before, i, 1)
    if (c == "]") depth++
    if (c == "[" && --depth == 0) return substr(before, i + 1)
  }
  return before
}

# The position of the bracket that closes what opened before `rest`.
function target_end(rest,   depth, i, c) {
  depth = 1
  for (i = 1; i <= length(rest); i++) {
    c = substr(rest, i, 1)
    if (c == "(") depth++
    if (c == ")" && --depth == 0) return i
  }
  return 0
}

# Checks the links of a line and returns it, with updated line numbers.
function check_line(line, hidden,   out, done, at, end, target, text, new) {
  out = ""
  done = 0
  while ((at = index(substr(hidden, done + 1), "](")) > 0) {
    at += done
    end = target_end(substr(hidden, at + 2))
    if (end == 0) break
    text = unmasked(text_before(paragraph substr(hidden, 1, at - 1)))
    target = substr(hidden, at + 2, end - 1)
    new = check_link(text, target)
    out = out substr(line, done + 1, at + 1 - done) new ")"
    done = at + 1 + end
  }
  out = out substr(line, done + 1)
  while (match(hidden, /(href|src|srcset)="[^"]+"/)) {
    target = substr(hidden, RSTART, RLENGTH)
    gsub(/^[a-z]+="|"$/, "", target)
    hidden = substr(hidden, RSTART + RLENGTH)
    check_link("", target)
  }
  if (hidden ~ /^[ ]*\[[^]^]+\]:[ \t]+[^ \t]/) {
    target = hidden
    sub(/^[ ]*\[[^]]+\]:[ \t]+/, "", target)
    check_link("", target)
  }
  return out
}

function check_file(file,   line, hidden, n, changed, text, new, number) {
  md = file
  fence = span = paragraph = ""
  n = changed = 0
  text = ""
  while ((getline line < file) > 0) {
    md_line = ++n
    new = line
    if (fenced(line) || fence != "") {
      span = paragraph = ""
    } else if (line ~ /^[ \t]*$/) {
      span = paragraph = ""
    } else {
      if (line ~ /^[ \t]*(\||#|[-*+] |[0-9]+\. )/) span = paragraph = ""
      hidden = hide_code(line)
      new = check_line(line, hidden)
      paragraph = paragraph hidden " "
    }
    if (new != line) changed = 1
    text = text new "\n"
  }
  close(file)
  if (!changed) return
  number = ++rewritten
  printf "%s", text > (renewed "/" number)
  close(renewed "/" number)
  printf "%d\t%s\n", number, file > (renewed "/list")
}

# The path of `target` relative to the folder of the Markdown file, "" if it leaves the project.
function resolve(target,   path, part, n, i, out, depth) {
  path = md
  if (!sub(/\/[^\/]*$/, "/", path)) path = ""
  path = target ~ /^\// ? substr(target, 2) : path target
  n = split(path, part, "/")
  depth = 0
  for (i = 1; i <= n; i++) {
    if (part[i] == "" || part[i] == ".") continue
    if (part[i] == "..") {
      if (depth-- == 0) return ""
      continue
    }
    out[++depth] = part[i]
  }
  path = ""
  for (i = 1; i <= depth; i++) path = path (i > 1 ? "/" : "") out[i]
  return path == "" ? "." : path
}

# Checks one link and returns its target, updated on request.
function check_link(text, target,   file, anchor, path, hash, folder) {
  if (target ~ /^[a-zA-Z][a-zA-Z0-9+.-]*:/) return target
  links++
  file = target
  sub(/^[ \t]+/, "", file)
  sub(/[ \t]+".*/, "", file)
  anchor = ""
  if ((hash = index(file, "#")) > 0) {
    anchor = substr(file, hash + 1)
    file = substr(file, 1, hash - 1)
  }
  path = file == "" ? md : resolve(file)
  folder = path == "." || (path "/") in exists
  if (!folder && !(path in exists)) {
    fault("no such file: " file)
    return target
  }
  if (anchor == "") return target
  if (folder) {
    fault("an anchor on a folder: " target)
    return target
  }
  if (anchor ~ /^L[0-9]+(-L[0-9]+)?$/) return check_lines(text, target, path, anchor)
  if (path !~ /\.md$/) fault("an anchor that is no line (#L12): " target)
  else if (!((path, anchor) in heading)) fault("no heading #" anchor " in " path)
  return target
}

# A link to a line: that line must define the name in the text.
function check_lines(text, target, path, anchor,   first, last, name, n, i, found, where, new) {
  split(anchor, found, "-")
  first = substr(found[1], 2) + 0
  last = found[2] == "" ? 0 : substr(found[2], 2) + 0
  name = text
  gsub(/`/, "", name)
  gsub(/^[ \t]+|[ \t]+$/, "", name)
  if (name !~ /^[A-Za-z_][A-Za-z0-9_.:>-]*(\(.*)?$/) {
    fault("the text of a link to a line must be the name on that line, not \"" name "\"")
    return target
  }
  n = candidates(path, name, found)
  if (n == 0) {
    fault("no " name " in " path)
    return target
  }
  where = found[1]
  for (i = 2; i <= n; i++) where = where ", " found[i]
  if (n > 1) {
    fault(name " is on several lines of " path ": " where "; say which, as in Class::name or name(Argument")
    return target
  }
  if (first == where && (last == 0 || (last >= first && last <= lines_of[path]))) return target
  if (!fix) {
    fault(name " is on line " where " of " path ", not " first)
    return target
  }
  new = target
  sub(/#L[0-9]+(-L[0-9]+)?/, "#L" where (last > 0 ? "-L" (where + last - first) : ""), new)
  printf "%s:%d: %s renewed: line %d of %s, was %d\n", md, md_line, name, where, path, first
  return new
}
