#!/bin/bash
# The readers against the inputs that the fuzzer has found (docs/fuzzing.md), without the fuzzer; and that its planted
# mistakes still fit the sources.
source tests/apps/lib.sh
replay=$CDT_BUILD/tests/fuzz_replay
[ -x "$replay" ] || { fail "$replay is not built"; finish; }

expect_ok "$replay" --list
cut -f 1 "$work/stdout" | sort >"$work/targets"
cut -f 3 "$work/stdout" | sort -u >"$work/dictionaries"
expect_ok "$replay" tests/fuzz/corpus
cp "$work/stdout" "$work/replayed"

# No reader is without inputs, and some of them are valid files: others do not get past its first check.
check 'a target without an input that is accepted' [ "$(awk -F '\t' '$2 < 1 { print $1 }' "$work/replayed")" = '' ]
check 'a target whose inputs are all accepted' [ "$(awk -F '\t' '$3 < 1 { print $1 }' "$work/replayed")" = '' ]
cut -f 1 "$work/replayed" | sort >"$work/of_replay"
expect_same "$work/of_replay" "$work/targets"
ls tests/fuzz/corpus >"$work/folders"
expect_same "$work/folders" "$work/targets"
for file in tests/fuzz/dictionaries/*.dict; do basename "$file" .dict; done >"$work/found"
expect_same "$work/found" "$work/dictionaries"
check 'the corpus is small' [ "$(find tests/fuzz/corpus -type f -print0 | xargs -0 cat | wc -c)" -lt 2000000 ]

# A mistake is planted in each reader, and every line of the list is one of its file.
grep -v '^#' tests/fuzz/planted.tsv | cut -f 1 | sort >"$work/planted"
expect_same "$work/planted" "$work/targets"
expect_ok tests/fuzz/planted.sh --check
mkdir -p "$work/other/tests/fuzz" "$work/other/io/format"
printf 'npy\tio/format/a.cc\tif (x) {\tif (false) {\n' >"$work/other/tests/fuzz/planted.tsv"
for source in 'if (x) {\n 0' 'if (y) {\n 1' 'if (x) {\nif (x) {\n 1'; do
  printf '%b' "${source% *}" >"$work/other/io/format/a.cc"
  status=0
  (cd "$work/other" && bash "$OLDPWD/tests/fuzz/planted.sh" --check) >"$work/stdout" || status=$?
  check "a line that is in its file another number of times than once is an error: $source" [ $status -eq "${source##* }" ]
done

status=0
"$replay" no-such-target /dev/null >"$work/stdout" 2>"$work/stderr" || status=$?
check 'an unknown target is refused' [ $status -eq 2 ]
expect_text "$work/stderr" 'fuzz_replay: command line: no-such-target: no such fuzz target'
finish
