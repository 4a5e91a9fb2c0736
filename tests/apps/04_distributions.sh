#!/bin/bash
# Package names: the table of third_party/README.md, packages.txt, what find.sh names and what install.sh asks
# for are one list, and the running system's index has each of them.
source tests/apps/lib.sh

# table FILE: "PACKAGE VERSION VERSION VERSION VERSION", a line for each full row under "Package names".
table() {
  awk -F ' *[|] *' '
    /^## /                         { inside = /^## Package names/ }
    inside && $2 ~ /^`/ && NF == 7 { gsub(/`/, "", $2); print $2, $3, $4, $5, $6 }
  ' "$1"
}
sort third_party/packages.txt >"$work/packages"
check "packages.txt names something" test -s "$work/packages"
table third_party/README.md >"$work/table"
cut -d ' ' -f 1 "$work/table" | sort >"$work/table_names"
expect_same "$work/table_names" "$work/packages"
check "every cell of the table is a version" \
  [ "$(grep -cE '^[^ ]+( [0-9]+(\.[0-9]+)+){4}$' "$work/table")" -eq "$(wc -l <"$work/packages")" ]
grep -oE '^  probe(_tool)? .*' third_party/find.sh | awk '{ print $3 }' | sort -u >"$work/probed"
expect_same "$work/probed" "$work/packages"

# A row that lacks a cell, and one that is gone, are found.
# shellcheck disable=SC2016  # backquotes of Markdown
sed 's/^| `zlib1g-dev` | [0-9.]* |/| `zlib1g-dev` |/; /^| `gnuplot-nox` |/d' third_party/README.md \
  >"$work/planted.md"
table "$work/planted.md" | cut -d ' ' -f 1 | sort | comm -13 - "$work/packages" >"$work/gone"
check "two planted mistakes" [ "$(paste -sd ' ' "$work/gone")" = 'gnuplot-nox zlib1g-dev' ]

# install.sh where nothing is installed. Its commands are stand-ins, alone in the PATH; `id` answers for the
# user, and apt-get notes what it is asked for.
stand_in() { printf '#!%s\n%s\n' "$(command -v sh)" "$2" >"$work/only/$1" && chmod +x "$work/only/$1"; }
mkdir "$work/only"
for tool in sh dirname cat env; do ln -s "$(command -v $tool)" "$work/only/$tool"; done
stand_in dpkg-query 'exit 1'
stand_in apt-get "echo \"\$@\" >>'$work/asked'"
install_as() {
  rm -f "$work/asked"
  stand_in id "echo $1"
  PATH="$work/only" third_party/install.sh >"$work/stdout" 2>"$work/stderr"
}
asked_for() { tail -n 1 "$work/asked" | tr ' ' '\n' | grep -vE '^(-.*|install)$' | sort; }

install_as 0
check "install.sh as root" [ $? -eq 0 ]
asked_for >"$work/installed"
expect_same "$work/installed" "$work/packages"

# By a user who may not: exit status 2, and a line that installs all of it once it is pasted, by sudo or su.
paste_line() {
  check "install.sh of a user, $1" [ "$2" -eq 2 ]
  check "nothing was asked for, $1" [ ! -e "$work/asked" ]
  tail -n 1 "$work/stderr" >"$work/line"
  check "the line begins with $1" [ "$(cut -d ' ' -f 1 "$work/line")" = "$1" ]
  PATH="$work/only" sh "$work/line"
  asked_for >"$work/installed"
  expect_same "$work/installed" "$work/packages"
}
# shellcheck disable=SC2016  # parameters of the stand-in
stand_in su '[ "$1 $2" = "- -c" ] && sh -c "$3"'
install_as 1000
paste_line su $?
# shellcheck disable=SC2016
stand_in sudo '[ "$1" != -n ] && "$@"'
install_as 1000
paste_line sudo $?

# find.sh, which calls it: where the programs can be built without what is missing, --try-install goes on and says
# so. The stand-in for the compiler finds everything but libBigWig.
mkdir "$work/user"
cp "$work/only/"{dpkg-query,apt-get,id} "$work/user"
printf '#!/bin/sh\nexit 1\n' >"$work/user/sudo"
printf '#!/bin/sh\ncase " $* " in *BigWig*) exit 1 ;; esac\n' >"$work/user/c++"
chmod +x "$work/user/sudo" "$work/user/c++"
rm -f "$work/asked"
# find_as_user STATUS COMPILER OPTION PACKAGE: that exit status, and the line that installs PACKAGE.
find_as_user() {
  local status=0
  env PATH="$work/user:$PATH" CXX="$2" third_party/find.sh "$3" >"$work/stdout" 2>"$work/stderr" || status=$?
  check "find.sh $3 with $(basename "$2"): exit status $1, not $status" [ $status -eq "$1" ]
  check "find.sh $3 prints the line" grep -qE "apt-get install -y --no-install-recommends.* $4( |')" "$work/stderr"
}
find_as_user 0 "$work/user/c++" --try-install libbigwig-dev
expect_text "$work/stderr" "going on without them"
check "what is missing is noted" grep -qE '^MISSING :=.* libbigwig-dev( |$)' "$work/stdout"
for compiler in "$work/user/c++ --install libbigwig-dev" "false --install build-essential" \
  "false --try-install build-essential"; do
  # shellcheck disable=SC2086  # three words
  find_as_user 2 $compiler
  check "no settings were written" [ ! -s "$work/stdout" ]
done
check "nothing was installed" [ ! -e "$work/asked" ]

# The index of the running system, where there is one: madison lists what an archive offers.
if command -v apt-cache >/dev/null; then
  xargs apt-cache madison dpkg no-such-package-of-cdt <"$work/packages" 2>/dev/null |
    sed 's/ *|.*//; s/^ *//' >"$work/offered"
fi
offered() { grep -qxF -- "$1" "$work/offered"; }
if ! command -v apt-cache >/dev/null; then
  skip 'packages of this system' 'apt is not here'
elif ! offered dpkg; then
  skip 'packages of this system' 'apt has no index (apt-get update makes it)'
else
  while read -r package; do
    check "$package is a package of this system" offered "$package"
  done <"$work/packages"
  check "a package that no archive has is not found" eval '! offered no-such-package-of-cdt'
fi

finish
