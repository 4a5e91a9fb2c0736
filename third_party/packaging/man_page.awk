# A man page from the text of --help (apps/common/cli_help.cc): Usage, the summary, then titles that end
# in a colon, with an entry at two blanks and its text below or at a column further right. Lines of the
# summary that begin with blanks keep their layout.
#
#   cdt-NAME --help | awk -v name=cdt-NAME -v version=VERSION -v day=DAY -v all=NAMES -f man_page.awk

function escaped(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/'/, "\\(aq", text)
  return text
}

# Lines that begin with a dot or a quote would be requests.
function say(text) { print (text ~ /^[.]/ ? "\\&" : "") text }

# "--name VALUE": the option in bold, its value in italics. Values of fixed words are literal.
function entry(text,   at, value) {
  at = match(text, / [^ -][^ ]*$/)
  if (!at) return "\\fB" escaped(text) "\\fR"
  value = substr(text, at + 1)
  return "\\fB" escaped(substr(text, 1, at - 1)) "\\fR \\fI" escaped(value) "\\fR"
}

# Adds a line of the summary to the text of DESCRIPTION, between .nf and .fi if it begins with blanks.
function describe(line) {
  if ((line ~ /^ /) != literal) {
    literal = !literal
    description = description (literal ? ".PP\n.nf\n" : ".fi\n.PP\n")
  }
  description = description (line ~ /^[.]/ ? "\\&" : "") escaped(line) "\n"
}

function close_summary(   short) {
  if (summary == "") return
  short = summary
  sub(/[.:;]( .*)?$/, "", short)
  if (match(summary, /[.:;]( |$)/)) short = substr(summary, 1, RSTART - 1)
  short = tolower(substr(short, 1, 1)) substr(short, 2)
  print ".SH NAME"
  say(escaped(name) " \\- " escaped(short))
  print ".SH SYNOPSIS\n.B " escaped(name)
  sub(/^[^ ]+ /, "", usage)
  say(escaped(usage))
  print ".SH DESCRIPTION"
  printf "%s%s", description, literal ? ".fi\n" : ""
  summary = ""
}

BEGIN { printf ".TH %s 1 %s \"cdt-engine %s\" \"CDT engine\"\n", toupper(name), day, version }

/^Usage: /         { usage = substr($0, 8); in_usage = 1; next }
in_usage && /^ +/  { sub(/^ +/, ""); usage = usage " " $0; next }
/^$/               { in_usage = 0; next }
/^[A-Z][a-z]+:$/   { close_summary(); printf ".SH %s\n", toupper(substr($0, 1, length($0) - 1)); inside = 1; next }
!inside            { describe($0) }
!inside && /^ /    { next }
!inside            { summary = summary (summary == "" ? "" : " ") $0; next }
/^  [^ ]/ {
  text = substr($0, 3)
  at = match(text, /   *[^ ]/)
  print ".TP\n" entry(at ? substr(text, 1, at - 1) : text)
  if (at) { text = substr(text, at); sub(/^ +/, "", text); say(escaped(text)) }
  next
}
{ sub(/^ +/, ""); say(escaped($0)) }

END {
  print ".SH EXIT STATUS\n.TP\n.B 0\nDone.\n.TP\n.B 1\nFailed.\n.TP\n.B 2"
  print "Wrong usage or input: one line on standard error names the file and the field."
  print ".SH SEE ALSO"
  count = split(all, names, "\n")
  for (i = 1; i <= count; i++) if (names[i] != name) others[++shown] = names[i]
  for (i = 1; i <= shown; i++) printf ".BR %s (1)%s\n", escaped(others[i]), i < shown ? " ," : ""
}
