#!/bin/bash
# Every program: help, version, misuse, unwritable standard output. Also what the build finds missing.
source tests/apps/lib.sh

version=$(sed -n 's/^VERSION := //p' Makefile)
for program in "$CDT_BIN"/cdt-*; do
  name=$(basename "$program")
  expect_ok "$program" --help && expect_text "$work/stdout" "--config PATH"
  expect_ok "$program" --version && expect_text "$work/stdout" "$name $version ("
  expect_fail 2 "command line: --confg: no such option (did you mean --config?)" "$program" --confg x
  expect_fail 2 "command line: " "$program"
  expect_fail 2 "$work/none.json: " "$program" --config "$work/none.json"
  printf '{"out": "x", "colour": 1}' >"$work/config.json"
  expect_fail 2 "$work/config.json: colour: no such option" "$program" --config "$work/config.json"

  "$program" --help >/dev/full 2>"$work/stderr"
  check "$name: full standard output" [ $? -eq 1 ]
  expect_text "$work/stderr" "$name: standard output: cannot be written (No space left on device)"
  "$program" --help >&- 2>"$work/stderr"
  check "$name: closed standard output" [ $? -eq 1 ]
done

# A program behaves the same if it is started through the dynamic loader named in its header.
loader=$(grep -aoEm1 '/lib[a-z0-9_/.-]*/ld-[a-z0-9_.-]+' "$CDT_BIN/cdt-train" | head -n 1)
if [ -x "$loader" ]; then
  for program in "$CDT_BIN"/cdt-*; do
    for option in --version --help; do
      expect_ok "$loader" "$program" $option
      cp "$work/stdout" "$work/through"
      expect_ok "$program" $option
      expect_same "$work/stdout" "$work/through"
    done
  done
  status=0
  "$loader" "$CDT_BIN/cdt-train" --no-such-option >"$work/stdout" 2>"$work/stderr" || status=$?
  check "exit status 2, not $status" test $status -eq 2
else
  skip loader "$loader is not there"
fi

# A build without HDF5 and without GoogleTest says what it leaves out.
cat >"$work/c++" <<'END'
#!/bin/sh
# A compiler that knows neither HDF5 nor GoogleTest.
case " $* " in *hdf5*|*gtest*) exit 1 ;; esac
exec g++ "$@"
END
chmod +x "$work/c++"
CXX="$work/c++" third_party/find.sh >"$work/config.mk" 2>"$work/stderr"
check "find.sh without HDF5" [ $? -eq 0 ]
expect_text "$work/stderr" "missing (package libhdf5-dev): cdt-import reads no HDF5"
expect_text "$work/config.mk" "MISSING := libhdf5-dev libgtest-dev"
CXX=false third_party/find.sh >"$work/config.mk" 2>"$work/stderr"
check "find.sh without a compiler" [ $? -eq 2 ]
expect_text "$work/stderr" "install what is missing: third_party/install.sh"

finish
