#!/bin/bash
# Damaged HDF5 files read through the sandbox: a few hundred of the files of `make hostile-hdf5`.
source tests/apps/lib.sh
hostile=$CDT_BUILD/tests/hostile_hdf5

[ -x "$hostile" ] || { skip hostile_hdf5 'this build reads no HDF5' && finish; }
expect_ok "$hostile" 500
# shellcheck disable=SC2016  # fields of awk
check 'every file ends in one way or another, and harms nothing' awk \
  '/^in all 500 files: / { gsub(/,/, ""); ok = $5 + $7 + $9 + $11 + $15 + $18 == 500 && $NF == 0 }
   END { exit !ok }' "$work/stdout"
# shellcheck disable=SC2016
check 'some are read, some refused' awk '/^in all / { ok = $5 > 0 && $7 > 100 } END { exit !ok }' "$work/stdout"
"$hostile" 0 >"$work/stdout" 2>"$work/stderr"
check 'no files: exit status 2' [ $? -eq 2 ]
finish
