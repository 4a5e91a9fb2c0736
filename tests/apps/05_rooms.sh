#!/bin/bash
# Each folder includes only itself and the folders before it in docs/architecture.md. Checked from the
# sources' own #include lines; the check itself is tested on a planted one.
source tests/apps/lib.sh

# FOLDER: FOLDERS IT MAY INCLUDE. Everything else is forbidden; files of one folder may include each other.
library='engine engine/ops engine/cpu engine/optim engine/ranks io/format io/genome io/dataset model model/stats model/explain'
rooms="
engine: engine/ops engine/cpu engine/cuda engine/optim engine/ranks
engine/ops: engine
engine/cpu: engine
engine/cuda: engine engine/ranks
engine/optim: engine
engine/ranks: engine
io/format: engine io/format/hdf5
io/format/hdf5: engine io/format
io/genome: engine io/format io/genome/bigwig
io/genome/bigwig: engine io/format io/genome
io/dataset: engine io/format io/genome
model/stats: engine engine/cpu
model: engine engine/ops engine/optim io/format io/genome io/dataset
model/explain: engine engine/ops io/format io/dataset model model/stats
apps/common: $library
apps/evaluation: $library apps/common
apps/synth: $library apps apps/common
apps/audit: $library apps apps/common
apps/import: $library io/format/hdf5 apps/common apps/audit apps/import/published
apps/import/published: $library io/format/hdf5 apps/common apps/audit apps/import
apps/train: $library apps apps/common apps/evaluation
apps/ceiling: $library apps apps/common apps/evaluation
apps/convert: $library apps apps/common
apps/split: $library apps apps/common apps/evaluation
apps/predict: $library apps apps/common apps/evaluation
apps/attribute: $library io/genome/bigwig apps apps/common
apps/merge: $library apps apps/common apps/evaluation apps/predict apps/attribute
apps/report: $library apps apps/common apps/audit apps/evaluation
apps: apps/common apps/import
"

# forbidden ROOT: prints "FILE includes FOLDER" for each include that the table does not allow.
forbidden() {
  (cd "$1" && grep -rE '^#include "[a-z0-9_/]+/[a-z0-9_]+\.(h|cuh)"' --include='*.h' --include='*.cc' \
    --include='*.cu' --include='*.cuh' engine io model apps) |
    awk -v rooms="$rooms" '
      BEGIN {
        n = split(rooms, line, "\n")
        for (i = 1; i <= n; i++) {
          parts = split(line[i], word, /:? +/)
          sub(/:$/, "", word[1])
          for (j = 1; j <= parts; j++) may[word[1], word[j]] = 1
        }
      }
      {
        file = substr($0, 1, index($0, ":") - 1)
        folder = file; sub(/\/[^\/]*$/, "", folder)
        split($0, quoted, "\"")
        included = quoted[2]; sub(/\/[^\/]*$/, "", included)
        if (!((folder, included) in may)) print file " includes " quoted[2]
      }'
}

forbidden . >"$work/found"
check "a folder includes one that comes after it" [ ! -s "$work/found" ] || cat "$work/found"


# A planted include is found.
mkdir -p "$work/house/engine" "$work/house/io/format" "$work/house/model/stats" "$work/house/apps/report"
echo '#include "io/format/text.h"' >"$work/house/model/stats/bad.cc"
echo '#include "engine/error.h"' >"$work/house/io/format/good.h"
echo '#include "model/cdt.h"' >"$work/house/engine/worse.cu"
echo '#include "apps/predict/predict.h"' >"$work/house/apps/report/worst.h"
forbidden "$work/house" | sort >"$work/found"
printf '%s\n' 'apps/report/worst.h includes apps/predict/predict.h' 'engine/worse.cu includes model/cdt.h' \
  'model/stats/bad.cc includes io/format/text.h' >"$work/expected"
expect_same "$work/found" "$work/expected"
finish
