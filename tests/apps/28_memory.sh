#!/bin/bash
# The memory plan of a dry run, and the error of a program that gets no more memory.
source tests/apps/lib.sh
tiny_model
train=$CDT_BIN/cdt-train
# under KIBIBYTES COMMAND...: runs it with at most this much address space.
under() (
  ulimit -v "$1"
  shift
  exec "$@"
)

expect_ok "$train" --dry-run --device cpu --threads 2
for row in weights gradients 'Adam moments' activations 'inside kernels' total; do
  check "row $row" grep -qE "^$row +[0-9]" "$work/stdout"
done
# A model and a batch far too large for this machine can still be planned, in little memory.
expect_ok under 2000000 "$train" --dry-run --device cpu --threads 2 --batch-size 4096
check 'over a terabyte' awk '$1 == "total" { t = $2 } END { exit t < 1024 * 1024 }' "$work/stdout"

# Little address space is enough for little work; if it is not, one line says so.
expect_ok under 1500000 "$train" --data "$data" --out "$work/small" --epochs 1 --hidden 16 \
  --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --threads 2 --quiet
status=0
under 1500000 "$train" --data "$data" --out "$work/big" --epochs 1 --hidden 2048 \
  --threads 2 --quiet >"$work/stdout" 2>"$work/stderr" || status=$?
check "no memory: exit status 1, not $status" test $status -eq 1
check 'no memory: one line' grep -qE '^cdt-train: (arena [a-z]+: no [0-9]+ bytes more.*: )?out of memory' \
  "$work/stderr"
check 'no memory: no second line' test "$(wc -l <"$work/stderr")" -eq 1
finish
