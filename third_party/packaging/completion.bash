# shellcheck shell=bash
# Completion of the programs of the CDT engine in bash. Options and their values are read from what the
# program's --help prints (apps/common/cli_help.cc).

# _cdt_value OPTION: from --help on standard input, the name of the option's value: "PATH", "N",
# "a|b|c"; nothing for a flag. Of a list of names: "NAME,...", then a line of the names.
_cdt_value() {
  awk -v start="  $1 " '
    index($0 " ", start) == 1 {
      value = substr($0, length(start) + 1)
      if (value == "" || value ~ /^ /) exit
      text = value
      sub(/ .*/, "", value)
      print value
      if (value != "NAME,...") exit
      inside = 1
      next
    }
    inside && /^  [^ ]/ { exit }
    inside {
      sub(/^ +/, "")
      text = text " " $0
    }
    END {
      if (!inside || !sub(/.*; any of /, "", text)) exit
      sub(/ [[(].*/, "", text)
      gsub(/[, ]+/, " ", text)
      print text
    }'
}

# _cdt_names LIST WORD: WORD with its last name, after the last comma, completed.
_cdt_names() {
  local before=''
  [[ $2 != *,* ]] || before=${2%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${2##*,}")
  compopt -o nospace
}

_cdt() {
  local word=$2 option=$3 help value lines
  help=$("${1/#\~\//$HOME/}" --help 2>/dev/null) || return
  if [[ ${COMP_WORDS[COMP_CWORD]} == = ]]; then
    word=''
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  # Bash cuts words at colons: there is nothing to offer for what follows one.
  [[ ${COMP_WORDS[COMP_CWORD]} != : && $option != : ]] || return
  mapfile -t lines < <([[ $option != --* ]] || _cdt_value "$option" <<<"$help")
  value=${lines[0]-}
  case $value in
    '')
      if [[ $word != -* && $help == *$'\nArguments:'* ]]; then
        compopt -o default
      else
        mapfile -t COMPREPLY < <(compgen -W "$(grep -oE '^  (-h, )?--[a-z0-9-]+' <<<"$help" |
          grep -oE -- '--[a-z0-9-]+')" -- "$word")
      fi
      ;;
    PATH) compopt -o default ;;  # readline's own: files and folders, with quotes where they are needed
    NAME,...) _cdt_names "${lines[1]-}" "$word" ;;
    # A word with a part in capitals, cuda:N, is completed up to it.
    *'|'*) mapfile -t COMPREPLY < <(compgen -W "$(tr '|' '\n' <<<"$value" | sed 's/:[A-Z]*$/:/')" -- "$word") ;;
  esac
}

complete -F _cdt cdt-attribute cdt-audit cdt-ceiling cdt-convert cdt-import cdt-merge cdt-predict cdt-report cdt-split cdt-synth cdt-train
