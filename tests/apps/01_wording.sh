#!/bin/bash
# Comments, messages and docs are free of the wording that readers stumbled over (tests/wording.tsv), and
# the check finds planted examples.
source tests/apps/lib.sh

tests/wording.sh >"$work/found" || true
if [ -s "$work/found" ]; then fail "wording" "$work/found"; else pass; fi

# expect_found NAME LINE TEXT: a file with that name and text has one fault, which starts on that line.
expect_found() {
  printf '%b' "$3" >"$work/$1"
  local status=0
  tests/wording.sh "$work/$1" >"$work/found" || status=$?
  check "$1: exit status $status, expected 1" [ $status -eq 1 ]
  expect_text "$work/found" "$work/$1:$2: "
}
expect_found planted.cc 2 'int a;\n// The value that\n// stands in the file.\nint b;\n'
mkdir "$work/io"
expect_found io/planted.cc 2 'int a;\nfail("column stands twice");\n'
expect_found planted.h 1 'int a;  // as ever\n'
expect_found planted.h 2 'int a;\n/// Does it hold the value?\n'
expect_found planted.md 4 '# Title\n\n- nothing\n- drawn\n  afresh\n'
expect_found planted.sh 2 '#!/bin/sh\n# What of it is left.\n'
expect_found planted.mk 1 'a: b  \0043 the rate of the day\n'

# Code, fenced blocks and code spans are not prose.
printf 'Text.\n\n```\nwhat stands here\n```\n\nA span `stands` here.\n' >"$work/clean.md"
printf '#include "stands"\nint stands = 1;\n' >"$work/clean.cc"
expect_ok tests/wording.sh "$work/clean.md" "$work/clean.cc"
check "nothing is printed" [ ! -s "$work/stdout" ]
finish
