# Prints JSON as lines: the path to a value, a tab, the value. {"a": [1, {"b": "x"}]} gives a.0 and a.1.b.
# Several objects, one after the other, as in metrics.jsonl, get their number before the path.
{ text = text $0 "\n" }

END {
  at = 1
  for (n = 1; token() != ""; n++) value(n)
  for (i = 1; i <= lines; i++) {
    if (n == 2) sub(/^1\.?/, "", line[i])
    print line[i]
  }
}

# The next of { } [ ] : , a string or another word; a string keeps its first quote.
function token(   rest) {
  rest = substr(text, at, 400)
  while (match(rest, /^[ \t\n,:]+/)) {
    at += RLENGTH
    rest = substr(text, at, 400)
  }
  if (rest == "") return kept = ""
  if (match(rest, /^[][{}]/)) {
  } else if (substr(rest, 1, 1) == "\"") {
    rest = substr(text, at)
    match(rest, /^"([^"\\]|\\.)*"/)
    at += RLENGTH
    return kept = substr(rest, 1, RLENGTH - 1)
  } else match(rest, /^[^][{},: \t\n]+/)
  at += RLENGTH
  return kept = substr(rest, 1, RLENGTH)
}

function value(path,   i, key) {
  if (kept == "{") {
    while (token() != "}") {
      key = substr(kept, 2)
      token()
      value(path "." key)
    }
    kept = "{"
  } else if (kept == "[") {
    for (i = 0; token() != "]"; i++) value(path "." i)
    kept = "["
  } else {
    key = kept
    sub(/^"/, "", key)
    line[++lines] = path "\t" key
  }
}
