#!/bin/bash
# Every relative link of the documentation leads where it says (tests/doc_links.sh). The check itself is
# tried on a copy of the project with planted faults, each of which it must name, and --fix must repair line
# numbers that moved.
source tests/apps/lib.sh

expect_ok tests/doc_links.sh

# The sources that the planted page links to, at other places than in the project, and the page itself.
copy=$work/copy
fresh_copy() {
  rm -rf "$copy"
  mkdir -p "$copy/docs/inner" "$copy/src" "$copy/build"
  cp engine/ops/layer_norm.cc engine/cuda/layer_norm.cu engine/tape.cc engine/optim/schedule.h model/cdt.cc \
    tests/unit/schedule_test.cc tests/apps/lib.sh "$copy/src/"
  cat >"$copy/README.md" <<'END'
# A project
## What it does, and `how`: [a link](docs/page.md)
## Twice
## Twice
[its own heading](#what-it-does-and-how-a-link), [the second](#twice-1), [a
page](docs/page.md "title"), [a folder](docs/), [elsewhere](https://example.org/none#x)
`[no link](nowhere.md)`, <a href="docs/page.md">html</a>, [reference]
```
[no link either](nowhere.md)
```
[reference]: docs/page.md#a-heading
END
  cat >"$copy/docs/page.md" <<'END'
# A heading
| forward | gradient |
|---|---|
| [`layer_norm`](../src/layer_norm.cc#L0) | [`layer_norm_backward`](../src/layer_norm.cc#L0) |

[`layer_norm_kernel`](../src/layer_norm.cu#L0) [Walk::predict](../src/cdt.cc#L0), not [`Cdt::predict`](../src/cdt.cc#L0);
[`Schedule.PublishedRunDropout03`](../src/schedule_test.cc#L0), [`expect_ok`](../src/lib.sh#L0),
[`kPatience`](../src/schedule.h#L0), [`Tape::backward(Var out, const`](../src/tape.cc#L0-L4),
[up](inner/../../README.md#twice)
END
}

# links [OPTION...]: checks the copy; the output is in $work/said, the exit status in $status.
links() {
  status=0
  tests/doc_links.sh "$@" "$copy" >"$work/said" 2>&1 || status=$?
}

# finds WORDS: the check of the copy fails, with one fault that contains WORDS.
finds() {
  links
  check "exit status $status, expected 1, for: $1" [ $status -eq 1 ]
  expect_text "$work/said" "$1"
  expect_text "$work/said" ", 1 faults"
}

# line FILE PATTERN: the number of the only line that matches.
line() { grep -nE -- "$2" "$copy/src/$1" | cut -d: -f1; }

# All line numbers are filled in by --fix, and equal those that grep finds.
fresh_copy
links
check "lines that are not right are not found" [ $status -eq 1 ]
links --fix
check "--fix leaves faults behind" [ $status -eq 0 ]
expect_text "$work/said" " 0 faults"
while read -r link file pattern; do
  expect_text "$copy/docs/page.md" "[$link](../src/$file#L$(line "$file" "$pattern"))"
done <<'END'
`layer_norm` layer_norm.cc ^Var.layer_norm\(
`layer_norm_backward` layer_norm.cc layer_norm_backward
`layer_norm_kernel` layer_norm.cu ^__global__.*[[:space:]]layer_norm_kernel\(
Walk::predict cdt.cc ^[[:space:]]+Var.predict\(
`Cdt::predict` cdt.cc ^Var.Cdt::predict\(
`Schedule.PublishedRunDropout03` schedule_test.cc ^TEST.Schedule,.PublishedRunDropout03
`expect_ok` lib.sh ^expect_ok\(
`kPatience` schedule.h constexpr.*kPatience.=
END
at=$(line tape.cc '^void Tape::backward\(Var out, const')
expect_text "$copy/docs/page.md" "tape.cc#L$at-L$((at + 4)))"
links
check "a renewed page has faults" [ $status -eq 0 ]
cp -r "$copy" "$work/right"

# Each planted fault is the only one found.
planted() {
  rm -rf "$copy"
  cp -r "$work/right" "$copy"
}
planted
sed -i '1i // one line more' "$copy/src/schedule_test.cc"
finds "docs/page.md:7: Schedule.PublishedRunDropout03 is on line"
links --fix
check "--fix does not mend a line that moved" [ $status -eq 0 ]
expect_text "$copy/docs/page.md" "schedule_test.cc#L$(line schedule_test.cc '^TEST.Schedule, PublishedRunDropout03'))"
check "--fix changes another file" diff -r "$work/right" "$copy" --exclude=page.md --exclude=schedule_test.cc

planted
rm "$copy/src/lib.sh"
finds "docs/page.md:7: no such file: ../src/lib.sh"
planted
mv "$copy/src/lib.sh" "$copy/src/Lib.sh"
finds "docs/page.md:7: no such file: ../src/lib.sh"
planted
sed -i 's/layer_norm_kernel/norm_kernel/' "$copy/src/layer_norm.cu"
finds "docs/page.md:6: no layer_norm_kernel in src/layer_norm.cu"
links --fix
check "--fix accepts a name that is gone" [ $status -eq 1 ]
check "--fix changes a link to a name that is gone" cmp "$work/right/docs/page.md" "$copy/docs/page.md"
planted
sed -i 's/PublishedRunDropout03/PublishedRun/' "$copy/src/schedule_test.cc"
finds "docs/page.md:7: no Schedule.PublishedRunDropout03 in src/schedule_test.cc"
planted
sed -i 's/^# A heading/# Another heading/' "$copy/docs/page.md"
finds "README.md:11: no heading #a-heading in docs/page.md"
planted
sed -i '4d' "$copy/README.md"
finds "README.md:4: no heading #twice-1 in README.md"
planted
sed -i 's/Var out, const/Var/' "$copy/docs/page.md"
finds "docs/page.md:8: Tape::backward(Var is on several lines of src/tape.cc"
links --fix
check "--fix chooses between two definitions" [ $status -eq 1 ]
planted
sed -i 's/\[Walk::predict\]/[how it is predicted]/' "$copy/docs/page.md"
finds "docs/page.md:6: the text of a link to a line must be the name on that line"
planted
echo '[out of it](../elsewhere.md)' >>"$copy/README.md"
finds "README.md:12: no such file: ../elsewhere.md"
planted
touch "$copy/build/made.md"
echo '[built](build/made.md)' >>"$copy/README.md"
finds "README.md:12: no such file: build/made.md"
planted
echo '[a line of it](src/lib.sh#start)' >>"$copy/README.md"
finds "README.md:12: an anchor that is no line"

finish
