#!/bin/bash
# Typical user errors, through the programs: one line naming file and field, exit code 2, and no output left
# behind.
source tests/apps/lib.sh
predict=$CDT_BIN/cdt-predict train=$CDT_BIN/cdt-train import=$CDT_BIN/cdt-import
good=$work/good model=$work/run/model.safetensors out=$work/out
sizes=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16)

expect_ok "$CDT_BIN/cdt-synth" --preset tiny --seed 4 --out "$good" --quiet
expect_ok "$train" --data "$good" --out "$work/run" --epochs 1 --quiet "${sizes[@]}"

# refused FILE NEEDLE: both programs that read a data set refuse $work/data, naming FILE and NEEDLE.
refused() {
  expect_fail 2 "data/$1: $2" "$predict" --data "$work/data" --model "$model" --out "$out" --quiet
  check "$1: $2: no output" [ ! -e "$out" ]
  expect_fail 2 "data/$1: $2" "$train" --data "$work/data" --out "$out" --epochs 1 --quiet \
    "${sizes[@]}"
  check "$1: $2: no model" [ ! -e "$out/model.safetensors" ]
  rm -rf "$out"
}

# spoil COMMAND...: runs it in a fresh copy of the data set.
spoil() {
  rm -rf "$work/data"
  cp -r "$good" "$work/data"
  (cd "$work/data" && "$@")
}

poke() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
lfs() { printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n'; }
as_lfs() { lfs >"$1"; }
as_html() { printf '<!DOCTYPE html><html><body>404</body></html>\n' >"$1"; }
as_pickle() { printf '\x80\x02}q\x00.' >"$1"; }
swap_genes() { sed -i '1{h;d};2{G}' protein.genes.txt; }
twice() { sed -i "2s/.*/$(sed -n 1p "$1")/" "$1"; }
two_beds() { awk -v OFS='\t' 'NR == 1 { n = $4 } NR == 2 { $4 = n } 1' enhancers.bed >b && mv b enhancers.bed; }
edit_pair() { awk -F '\t' -v OFS='\t' -v c="$1" -v v="$2" 'NR == 2 { $c = v } 1' pairs.tsv >p && mv p pairs.tsv; }

spoil truncate -s -4 rna.f32 && refused rna.f32 'size'
spoil truncate -s +4 dna.f32 && refused dna.f32 'size'
spoil poke rna.f32 8 '\0\0\xc0\x7f' && refused rna.f32 'gene GENE00001 (row 0), feature 2'
spoil poke protein.f32 0 '\0\0\x80\x7f' && refused protein.f32 'gene GENE00001 (row 0), feature 0'
spoil swap_genes && refused protein.genes.txt 'line 1'
spoil twice rna.genes.txt && refused rna.genes.txt 'line 2'
spoil two_beds && refused enhancers.bed 'line 2'
spoil edit_pair 2 NOBODY && refused pairs.tsv 'line 2'
spoil edit_pair 3 NOGENE && refused pairs.tsv 'line 2'
spoil edit_pair 4 nan && refused pairs.tsv 'line 2'
spoil edit_pair 1 validation && refused pairs.tsv 'line 2'
spoil sed -i '3s/\t.*//' pairs.tsv && refused pairs.tsv 'line 3'
spoil sed -i 's/"version": 1/"version": 1, "colour": 2/' dataset.json && refused dataset.json 'colour'
spoil sed -i 's/"version": 1/"version": 1, "version": 1/' dataset.json && refused dataset.json 'version'
spoil truncate -s 40 dataset.json && refused dataset.json ''
spoil as_lfs dna.f32 && refused dna.f32 ''
check 'a Git-LFS pointer is called one' grep -q 'LFS' "$work/stderr"
spoil as_html dataset.json && refused dataset.json ''
check 'an HTML page is called one' grep -q 'HTML' "$work/stderr"
spoil rm enhancers.bed && refused enhancers.bed ''

# no_model NEEDLE: $work/bad.safetensors is refused.
no_model() {
  expect_fail 2 "bad.safetensors: $1" "$predict" --data "$good" --model "$work/bad.safetensors" \
    --out "$out" --quiet
  check "model: $1: no output" [ ! -e "$out" ]
}
as_pickle "$work/bad.safetensors" && no_model ''
check 'a pickle is called one' grep -qi 'pickle' "$work/stderr"
as_lfs "$work/bad.safetensors" && no_model ''
head -c 500 "$model" >"$work/bad.safetensors" && no_model ''
head -c -4 "$model" >"$work/bad.safetensors" && no_model ''
sed 's/vce.fusion.0.bias/vce.fusion.0.bIas/' "$model" >"$work/bad.safetensors" && no_model 'vce.fusion.0'
expect_ok "$CDT_BIN/cdt-synth" --preset tiny --genes 9 --out "$work/nine" --quiet
expect_fail 2 'genes' "$predict" --data "$work/nine" --model "$model" --out "$out" --quiet

if has_hdf5; then
  files=(--dna "$work/y" --rna "$work/x" --protein "$work/p" --mapping "$work/m" --train "$work/t"
    --val "$work/v" --out "$out" --quiet)
  for name in y p m t v; do echo $name >"$work/$name"; done
  for kind in as_lfs as_html as_pickle; do
    $kind "$work/x"
    expect_fail 2 "$work/x: " "$import" "${files[@]}"
    check "import: $kind: no output" [ ! -e "$out" ]
  done
  printf '\x89HDF\r\n\x1a\n%0512d' 0 >"$work/x"
  expect_fail 2 "$work/x: " "$import" "${files[@]}"
  rm "$work/x"
  expect_fail 2 "$work/x: " "$import" "${files[@]}"
  cp "$work/t" "$work/v"
  expect_fail 2 "$work/v: --val: has the same content as the file given as --train" "$import" \
    "${files[@]}"
  expect_fail 2 "$work/t: --val: is the file given as --train" "$import" "${files[@]/%\/v//t}"
else
  skip import 'cdt-import reads no published files: no HDF5'
fi

# An unset shell variable as a value does not swallow the following option.
expect_fail 2 'command line: --out: the value is empty' "$predict" --out= --data "$good" --model "$model"
expect_fail 2 'command line: --data: the value is empty' "$train" --out "$out" --data=
check 'an empty value: no output' [ ! -e "$out" ]

# A full volume: a file may not grow past 8 KiB.
small() { (ulimit -f 8 && "$@"); }
status=0
small "$CDT_BIN/cdt-synth" --preset tiny --out "$out" --quiet >"$work/stdout" 2>"$work/stderr" || status=$?
check 'full volume: exit status 2' [ $status -eq 2 ]
check 'full volume: one line' [ "$(grep -c '^cdt-synth: ' "$work/stderr")" -eq 1 ]
check 'full volume: nothing left' [ -z "$(ls -A "$out" 2>/dev/null)" ]
finish
