#!/bin/bash
# The commands of the docs. Every fenced block tagged `sh` or `python` is run, page by page, in a copy of the
# project's root that has the programs in build/bin and the outputs of `make demo` in build/demo. A block
# tagged `sh needs=WHAT` (a GPU, the published files, hours) is only read: in every block of commands each
# program, option, make target and script must exist. Blocks with needs=minutes run with CDT_DOCS=all, which
# `make docs-check` sets. An answer that a page folds below its command must have the words of the command's
# output; its numbers may differ in the last digits between machines.
# shellcheck disable=SC2016
source tests/apps/lib.sh
export OMP_NUM_THREADS=1  # the models are so small that threads slow them down

# blocks FILE: writes each fenced block of commands to $work/blocks/LINE.sh or LINE.py, its needs to LINE.needs
# and its answer, if the page has one, to LINE.answer; prints a line for each fence without a language.
blocks() {
  rm -rf "$work/blocks" && mkdir "$work/blocks"
  awk -v folder="$work/blocks/" '
    /^ *```/ && open { open = answer = 0; next }
    /<summary>Answer/ { asked = script }
    /^ *```/ {
      open = 1
      kind = $0; sub(/^ *```/, "", kind)
      if (kind == "") print FILENAME ":" FNR ": a fenced block without a language"
      place = folder sprintf("%04d", FNR)
      runs = kind ~ /^(sh|python)( |$)/
      if (kind == "text" && asked != "") { sub(/\.[a-z]*$/, ".answer", asked); answer = 1 }
      else asked = ""
      if (runs) script = place (kind ~ /^sh/ ? ".sh" : ".py")
      needs = kind ~ /^python/ ? "numpy" : ""
      if (match(kind, /needs=[^ ]*/)) needs = substr(kind, RSTART + 6, RLENGTH - 6)
      if (runs) { printf "" > script; print needs > (place ".needs") }
      next
    }
    open && answer { print > asked }
    open && runs { print > script }' "$1"
}

# commands SCRIPT: its commands, one per line, without comments and quoted texts; continued lines are joined.
commands() {
  sed -e ':a' -e '/\\$/{N;s/\\\n */ /;ba' -e '}' "$1" | sed -E "s/'[^']*'|\"[^\"]*\"//g" | sed -E 's/(^| )#( .*)?$//; s/ *(&&|\|\||[;|]) */\n/g' |
    sed -E 's/^ +//; s/^([A-Za-z_]+=[^ ]* +)+//'
}

# help_of PROGRAM: its --help, saved in a file.
help_of() {
  local file=$work/help/$1
  mkdir -p "$work/help"
  [ -e "$file" ] || "$CDT_BIN/$1" --help >"$file" 2>/dev/null || return 1
  cat "$file"
}

# unknown_names SCRIPT: prints a line for each program, option, make target or script that does not exist.
unknown_names() {
  local words word program
  while read -r -a words; do
    [ ${#words[@]} -gt 0 ] || continue
    program=$(basename -- "${words[0]}")
    case ${words[0]} in
      */cdt-* | cdt-*)
        help_of "$program" >/dev/null || { echo "no program ${words[0]}"; continue; }
        for word in "${words[@]:1}"; do
          [[ $word == --* ]] || continue
          help_of "$program" | grep -qE -- "(^|[ ,])${word%%=*}([ ,]|$)" || echo "$program has no ${word%%=*}"
        done
        ;;
      make)
        for word in "${words[@]:1}"; do
          [[ $word == *=* || $word == -* || $word == build* ]] ||
            grep -qE "^([a-z-]+ )*$word( [a-z-]+)*:" Makefile tests/tests.mk third_party/packaging/packaging.mk || echo "no make target $word"
        done
        ;;
      tests/*.sh | third_party/*.sh) [ -x "${words[0]}" ] || echo "no script ${words[0]}" ;;
    esac
  done < <(commands "$1")
}

# reader_folder: a copy of the project's root, as $root, with its own build folder.
reader_folder() {
  root=$work/root
  rm -rf "$root" && mkdir -p "$root/build"
  local entry
  for entry in Makefile README.md LICENSE engine model io apps tests third_party; do
    ln -s "$PWD/$entry" "$root/$entry"
  done
  cp -r docs "$root/docs" # a command renews a figure
  for entry in bin tests emulated; do
    [ ! -e "$CDT_BUILD/$entry" ] || ln -s "$(realpath "$CDT_BUILD/$entry")" "$root/build/$entry"
  done
  cp -rl "$demo" "$root/build/demo"
}

# run_block SCRIPT: in the reader's folder, with all output in $work/output. Python runs after the page's earlier
# blocks, as in one session.
run_block() {
  local run=(bash -euo pipefail "$1")
  if [[ $1 = *.py ]]; then
    cat "$1" >>"$root/session.py"
    run=(python3 session.py)
  fi
  (cd "$root" && timeout 900 "${run[@]}") >"$work/output" 2>&1 </dev/null
}

# words FILE: its text on one line, each number as #, because long lines are wrapped where the numbers end.
words() { sed -E 's/[-+]?[0-9][0-9.,]*(e[-+]?[0-9]+)?/#/g' "$1" | tr -s ' \t\n' ' '; }

# check_answer PLACE FILE: the answer of a page against the command's output.
check_answer() {
  if [ "$(words "$2")" = "$(words "$work/output")" ]; then
    pass
  else
    fail "$1: the answer differs from what the command prints" "$2" "$work/output"
  fi
}

# faults_of SCRIPT: prints a line for each unknown name, and what the shell cannot parse.
faults_of() {
  [[ $1 != *.py ]] || return 0
  unknown_names "$1"
  bash -n "$1" 2>&1
}

# check_file FILE: two tests per block: its names, and running it; a third where the page gives the answer.
check_file() {
  local script place needs faults began
  faults=$(blocks "$1")
  check "${faults:-$1: fences}" [ -z "$faults" ]
  reader_folder
  for script in "$work"/blocks/*.{sh,py}; do [ -e "$script" ] && echo "$script"; done | sort >"$work/scripts"
  while read -r script; do
    place=$1:$((10#$(basename "${script%.*}")))
    faults=$(faults_of "$script")
    check "$place: ${faults:-names}" [ -z "$faults" ]
    needs=$(cat "${script%.*}.needs")
    [ "$needs" != minutes ] || [ "${CDT_DOCS:-}" != all ] || needs=''
    if [ "$needs" = numpy ] && [ -z "$numpy" ]; then
      skip "$place and the rest of that page" "no Python with NumPy"
      return
    elif [ -n "$needs" ] && [ "$needs" != numpy ]; then
      not_run[$needs]=$((${not_run[$needs]:-0} + 1))
    elif began=$SECONDS && run_block "$script"; then
      pass
      [ ! -e "${script%.*}.answer" ] || check_answer "$place" "${script%.*}.answer"
      [ $((SECONDS - began)) -lt 10 ] || note "$place took $((SECONDS - began)) s"
    else
      fail "$place: exit status $?" "$script" "$work/output"
    fi
  done <"$work/scripts"
}

declare -A not_run
numpy=$(python3 -c 'import numpy; print(numpy.__version__)' 2>/dev/null)
demo_outputs
if [ -d .git ]; then mapfile -t files < <(git ls-files '*.md'); else mapfile -t files < <(find . -name '*.md' -not -path './build*'); fi
for file in "${files[@]}"; do check_file "$file"; done
for needs in "${!not_run[@]}"; do note "${not_run[$needs]} blocks of commands need $needs and were only read"; done

# Planted faults: each must be found.
expect_fault() {
  printf '%b' "$2" >"$work/planted.md"
  local failed=$tests_failed passed=$tests_passed found
  check_file "$work/planted.md" >"$work/planted.log"
  found=$((tests_failed - failed))
  tests_failed=$failed tests_passed=$passed
  if [ $found -gt 0 ]; then
    expect_text "$work/planted.log" "$1"
  else
    fail "not found: $1"
  fi
}
expect_fault "without a language" 'text\n```\ncode\n```\n'
expect_fault "planted.md:2: exit status 3" '\n```sh\nexit 3\n```\n'
expect_fault "planted.md:2: the answer differs" \
  '\n```sh\necho three 3\n```\n<summary>Answer</summary>\n\n```text\nfour 3\n```\n'
expect_fault "cdt-train has no --epoch" '```sh needs=time\nbuild/bin/cdt-train --epoch 3 \\\n  --out x\n```\n'
expect_fault "no program build/bin/cdt-tain" '```sh needs=time\nbuild/bin/cdt-tain --epochs 3\n```\n'
expect_fault "no make target demos" '```sh needs=time\nmake demos\n```\n'
expect_fault "no script tests/none.sh" '```sh needs=time\ntests/none.sh x\n```\n'
finish
