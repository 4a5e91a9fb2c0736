#compdef cdt-attribute cdt-audit cdt-ceiling cdt-convert cdt-import cdt-merge cdt-predict cdt-report cdt-split cdt-synth cdt-train
# Completion of the programs of the CDT engine in zsh. Options, their values and texts are read from what
# the program's --help prints (apps/common/cli_help.cc).

# The entries of --help as specifications of _arguments, one a line.
_cdt_specifications() {
  awk '
    function action(value,   names) {
      if (value == "PATH") return "_files"
      if (value == "NAME,...") {
        names = text
        sub(/.*; any of /, "", names)
        sub(/ [[(].*/, "", names)
        gsub(/[, ]+/, " ", names)
        return "_sequence compadd - " names
      }
      if (value !~ /[|]/) return " "
      gsub(/:[A-Z]+/, "\\:", value)
      gsub(/[|]/, " ", value)
      return "(" value ")"
    }
    function tell(   option, value) {
      if (entry == "") return
      split(entry, word, " ")
      option = word[1]
      value = word[2]
      if (entry ~ /^-h, /) { option = word[2]; value = "" }
      if (option !~ /^--/) { print "*:file:_files"; entry = ""; return }
      description = text
      gsub(/\\|\[|\]|:/, "\\\\&", description)
      printf "*%s[%s]%s\n", option, description, value == "" ? "" : ":value:" action(value)
      entry = ""
    }
    /^[A-Z][a-z]+:$/ { inside = 1; next }
    !inside || /^$/  { next }
    /^  [^ ]/ {
      tell()
      entry = substr($0, 3)
      text = ""
      if (match(entry, /   *[^ ]/)) {
        text = substr(entry, RSTART)
        entry = substr(entry, 1, RSTART - 1)
        sub(/^ +/, "", text)
      }
      next
    }
    { sub(/^ +/, ""); text = text (text == "" ? "" : " ") $0 }
    END { tell() }'
}

_cdt() {
  local -a specifications
  specifications=("${(@f)$("${words[1]/#\~\//$HOME/}" --help 2>/dev/null | _cdt_specifications)}")
  _arguments "${specifications[@]}"
}

_cdt "$@"
