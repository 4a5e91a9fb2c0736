#!/bin/bash
# cdt-train with genes in val that have no training pairs: which pairs steer, a last layer that starts at
# the genes' means, and runs begun before these settings existed.
source tests/apps/lib.sh
train=$CDT_BIN/cdt-train
data=$work/data
sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --batch-size 4)

# run OUT OPTION...: trains a small model on one thread.
run() { "$train" --data "$data" --out "$work/$1" --threads 1 --seed 5 "${sizes[@]}" "${@:2}"; }
# numbers RUN FIELD: the values of that field, one per epoch.
numbers() { sed -E "s/.*\"$2\":([^,}]*).*/\1/" "$work/$1/metrics.jsonl"; }
# best_of RUN FIELD: the epoch with its largest value, the first of ties.
best_of() { paste <(numbers "$1" epoch) <(numbers "$1" "$2") | sort -s -k 2,2gr | head -n 1 | cut -f 1; }
best_epoch() { sed -n 's/^best epoch\t//p' "$work/stdout"; }
same_run() {
  expect_same "$work/$1/model.safetensors" "$work/$2/model.safetensors"
  expect_same "$work/$1/last/state.safetensors" "$work/$2/last/state.safetensors"
}

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --mechanism gene-only --noise 0.02 --out "$data" --seed 1 --quiet
sed -i -E '/^train\t[^\t]*\tGENE0000[258]\t/d' "$data/pairs.tsv"
unseen=$(grep -cE $'^val\t[^\t]*\tGENE0000[258]\t' "$data/pairs.tsv")
genes=$(grep -E $'^val\t[^\t]*\tGENE0000[258]\t' "$data/pairs.tsv" | cut -f 3 | sort -u | wc -l)
check 'val has genes without training pairs' test "$genes" -gt 1

# --- these pairs do not steer, unless all pairs are to
expect_ok run seen --epochs 8
expect_text "$work/stderr" "pairs.tsv: gene: $unseen of 18 val pairs are of $genes genes without training pairs; they do not steer training (--steer-by all includes them)"
expect_text "$work/stdout" $'\t(genes with training pairs)'
check 'best epoch by the seen pairs' test "$(best_epoch)" -eq "$(best_of seen val_seen_pearson)"
check 'all pairs are told apart' test "$(numbers seen val_pairs_of_unseen_genes | sort -u)" -eq "$unseen"
check 'r over all pairs is another' test \
  "$(numbers seen val_pearson | head -n 1)" != "$(numbers seen val_seen_pearson | head -n 1)"
expect_ok run all --epochs 8 --steer-by all
expect_text "$work/stderr" "they steer training like the others (--steer-by all)"
check 'best epoch by all pairs' test "$(best_epoch)" -eq "$(best_of all val_pearson)"
check 'no such remark' test "$(grep -c '(genes with' "$work/stdout")" -eq 0

# --- with the gene readout a gene without training pairs has the others' head
expect_ok run shared --epochs 8 --readout gene
expect_text "$work/stderr" 'they steer training like the others, since genes share the head'
check 'best epoch by all pairs' test "$(best_epoch)" -eq "$(best_of shared val_pearson)"
expect_fail 2 '--steer-by: all pairs steer with --readout gene' "$train" --data "$data" \
  --out "$work/none" --readout gene --steer-by seen
expect_fail 2 '--steer-by: all pairs steer with --readout gene' "$train" --data "$data" \
  --out "$work/none" --model "$work/shared/model.safetensors" --steer-by seen

# --- the page names the r that chose the epoch
page() { expect_ok "$CDT_BIN/cdt-report" --data "$data" --run "$work/$1" --out "$work/$1.html" --quiet; }
chosen='over genes with training pairs '
page seen
expect_text "$work/seen.html" "$chosen$(printf %.3f "$(numbers seen val_seen_pearson | sort -gr | head -n 1)"). It was chosen by this r"
page all
check 'all pairs chose' test "$(grep -c "$chosen" "$work/all.html")" -eq 0

# --- the last layer starts at the genes' means, so an untrained model predicts them. The means of few genes
# differ by much more than the noise of these effects.
expect_ok run means --epochs 1 --init-head mean --lr 1e-9 --quiet
check 'r of the means of genes' awk -v r="$(numbers means val_seen_pearson)" 'BEGIN { exit !(r > 0.95) }'
expect_ok run paper --epochs 1 --init-head mean --lr 1e-9 --variant paper --quiet
check 'the paper form too' awk -v r="$(numbers paper val_seen_pearson)" 'BEGIN { exit !(r > 0.95) }'
expect_text "$work/means/config.json" '"init-head": "mean"'
expect_fail 2 '--init-head: the last layer is that of --model' "$train" --data "$data" \
  --out "$work/none" --init-head mean --model "$work/means/model.safetensors"
check 'nothing made' test ! -e "$work/none"

# --- resumed with both settings: bit for bit, and neither may change
expect_ok run straight --epochs 4 --init-head mean --steer-by all --quiet
expect_ok run halves --epochs 2 --init-head mean --steer-by all --quiet
expect_fail 2 '--init-head: differs from the run being resumed (expected mean, got released)' \
  "$train" --out "$work/halves" --resume --init-head released
expect_fail 2 '--steer-by: differs from the run being resumed (expected all, got seen)' \
  "$train" --out "$work/halves" --resume --steer-by seen
expect_ok "$train" --out "$work/halves" --resume --epochs 4 --threads 1 --quiet
same_run straight halves

# --- in a run begun before these settings existed, all pairs steer and the head is the released one
expect_ok run before --epochs 3 --steer-by all --quiet
LC_ALL=C sed -i 's/\\"steer-by\\":\\"all\\",\\"init-head\\":\\"released\\",/                                                /' \
  "$work/before/last/state.safetensors"
check 'the settings are gone' test "$(grep -ac 'steer-by' "$work/before/last/state.safetensors")" -eq 0
expect_ok "$train" --out "$work/before" --resume --epochs 8 --threads 1 --quiet
same_run all before
expect_text "$work/before/config.json" '"steer-by": "all"'

finish
