#!/bin/bash
# Instruction counts from the disassembly of kernels: of hand-written text, through a stand-in for cuobjdump
# that prints its file, and of the real kernels if there is a toolkit with a disassembler.
source tests/apps/lib.sh

mkdir -p "$work/toolkit" "$work/alone" "$work/elsewhere"
printf '#!/bin/sh\necho "Cuda compilation tools, release 13.0, V13.0.1"\n' >"$work/toolkit/nvcc"
printf '#!/bin/sh\nfor file in "$@"; do :; done\ncat "$file"\n' >"$work/toolkit/cuobjdump"
printf '#!/bin/sh\n' >"$work/toolkit/nvdisasm"
chmod +x "$work"/toolkit/*
cp "$work/toolkit/nvcc" "$work/alone"

# kernel NAME: the instructions on stdin, one per line, as cuobjdump prints them, followed by padding.
kernel() {
  printf '\t\tFunction : %s\n\t.headerflags\t@"EF_CUDA_SM90"\n' "$1"
  awk '
    function print_one(text) {
      printf "        /*%04x*/                   %s ;    /* 0x0000000000007918 */\n", 16 * n++, text
      print "                                     /* 0x000fe20000000800 */"
    }
    { print_one($0) }
    END { print_one(sprintf("BRA 0x%x", 16 * n)); print_one("NOP"); print_one("NOP") }'
}

# count TEXT [OPTION...]: the report on the text; $work/base.tsv is the baseline.
count() {
  env -u KINDS -u CUOBJDUMP NVCC="$work/toolkit/nvcc" tests/cuda_instructions.sh "${@:2}" \
    "$work/base.tsv" "$1"
}
# expect_row NAME FIELDS: fields of the baseline, separated by spaces.
expect_row() {
  local row
  row=$(awk -F '\t' -v OFS=' ' -v name="$1" '$2 == name { $1 = $2 = ""; print substr($0, 3) }' "$work/base.tsv")
  check "$1: '$row', expected '$2'" test "$row" = "$2"
}
# expect_broken STATUS NEEDLE COMMAND...: one line on stderr.
expect_broken() {
  local expected=$1 needle=$2 status=0
  shift 2
  "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  check "$needle: exit status $status" test $status -eq "$expected"
  check "$needle: one line" test "$(grep -c . "$work/stderr")" -eq 1
  expect_text "$work/stderr" "$needle"
}

# --- which instructions count
{
  printf '\tcode for sm_90\n'
  # The loop is 0x10 to 0x50. An instruction that never runs loads nothing; a look-alike of HMMA is not one.
  kernel plain <<'END'
S2R R0, SR_TID.X
LDSM.16.M88.4 R4, [R0]
HMMA.16816.F32.BF16 R8, R4, R6, R8
HMMA.16816.F32.BF16 R12, R4, R7, R12
ISETP.GE.AND P0, PT, R0, UR4, PT
@!P0 BRA 0x10
@!PT LDS RZ, [RZ]
HFMA2.MMA R3, -RZ, RZ, 0, 0
STS.64 [R0], R12
LDS R3, [R0+0x40]
LDGSTS.E.BYPASS.128 [R0], desc[UR16][R2.64], !P0
EXIT
END
  # Inside the loop over tiles: a loop from 0 to 8 by 2, one from the thread's number to 512 by 128, and one
  # whose start is unknown.
  kernel nested <<'END'
S2R R1, SR_TID.X
IMAD.MOV.U32 R5, RZ, RZ, RZ
LDSM.16.M88.4 R8, [R5]
HMMA.16816.F32.BF16 R12, R8, R6, R12
VIADD R5, R5.reuse, 0x2
ISETP.GE.U32.AND P1, PT, R5, 0x8, PT
@!P1 BRA 0x20
IMAD.MOV.U32 R2, RZ, RZ, R1
ISETP.GE.AND P0, PT, R2, 0x180, PT
VIADD R2, R2, 0x80
@!P0 BRA 0x80
LDG.E R3, desc[UR4][R2.64]
VIADD R3, R3, 0x80
ISETP.GE.AND P0, PT, R3, 0x180, PT
@!P0 BRA 0xc0
UIADD3 UR4, UPT, UPT, UR4, 0x1, URZ
UISETP.NE.AND UP0, UPT, UR4, UR5, UPT
BRA.U UP0, 0x10
EXIT
END
  # A counter in uniform registers; the inner loop's backward branch has an operand.
  kernel uniform <<'END'
UMOV UR4, URZ
HMMA.16816.F32.BF16 R12, R8, R6, R12
UIADD3 UR4, UPT, UPT, UR4, 0x1, URZ
UISETP.GE.U32.AND UP0, UPT, UR4, 0x3, UPT
BRA.U !UP0, 0x10
ISETP.GE.AND P0, PT, R0, R1, PT
@!P0 BRA 0x0
EXIT
END
  # A register pair is set to zero: the counter is the second register.
  kernel pair <<'END'
MOV R5, 0x4
CS2R R4, SRZ
HMMA.16816.F32.BF16 R12, R8, R6, R12
IADD3 R5, R5, 0x1, RZ
ISETP.NE.AND P0, PT, R5, 0x6, PT
@P0 BRA 0x20
ISETP.GE.AND P0, PT, R0, R1, PT
@!P0 BRA 0x0
EXIT
END
  # A part of the loop comes after the end: the branch back from it is not a loop.
  kernel apart <<'END'
ISETP.GE.AND P0, PT, R0, R1, PT
@P0 BRA 0x60
HMMA.16816.F32.BF16 R12, R8, R6, R12
ISETP.GE.AND P1, PT, R0, R2, PT
@!P1 BRA 0x0
EXIT
VIADD R0, R0, 0x1
BRA 0x20
END
  # Two loops: the longer counts.
  kernel two <<'END'
HMMA.16816.F32.BF16 R12, R8, R6, R12
@!P1 BRA 0x0
HMMA.16816.F32.BF16 R12, R8, R6, R12
FADD R3, R3, R4
@!P1 BRA 0x20
EXIT
END
  kernel scalar <<'END'
FADD R3, R3, R4
@!P1 BRA 0x0
EXIT
END
} >"$work/text"
expect_ok count "$work/text" --new
#                  all tensor LDS LDSM STS LDGSTS  tile tensor LDSM loops within
expect_row plain   "12 2 1 1 1 1 5 2 1 -"
expect_row nested  "19 1 0 1 0 0 41 4 4 5x4 3x4 3x?"
expect_row uniform "8 1 0 0 0 0 15 3 0 4x3"
expect_row pair    "9 1 0 0 0 0 28 6 0 4x6"
expect_row apart   "8 1 0 0 0 0 7 1 0 -"
expect_row two     "6 2 0 0 0 0 3 1 0 -"
expect_row scalar  "3 0 0 0 0 0 - - - -"
check "the table" grep -qE '^nested +19 +1 +0 +1 +0 +0   41 4 4 10\.2 5x4 3x4 3x\?$' "$work/stdout"
check "version and command" grep -qE \
  '^# nvcc 13\.0\.1, [0-9]{4}-[0-9]{2}-[0-9]{2}, make cuda-report BASELINE=new$' "$work/base.tsv"

# --- the inputs of the cost model (cuda_levels.awk)
{
  cat "$work/text"
  # Two paths, of three instructions and of one; a loop in which a branch may skip one; a division.
  kernel ways <<'END'
ISETP.GE.AND P0, PT, R0, UR4, PT
@P0 BRA 0x50
FADD R3, R3, R4
FADD R3, R3, R4
BRA 0x60
FMUL R3, R3, R4
LDG.E R3, desc[UR4][R2.64]
LDG.E.128 R20, desc[UR4][R2.64]
@P1 BRA 0xa0
STG.E desc[UR4][R2.64], R3
@!P2 BRA 0x60
CALL.REL.NOINC 0xd0
EXIT
MUFU.RCP R3, R3
RET.REL.NODEC R4 0x0
END
  # Consecutive passes, the second with an inner loop.
  kernel passes <<'END'
LDG.E R3, desc[UR4][R2.64]
@!P0 BRA 0x0
LDG.E R3, desc[UR4][R2.64]
STG.E desc[UR4][R2.64], R3
STS.128 [R0], R4
@!P1 BRA 0x30
@!P2 BRA 0x20
EXIT
END
  kernel half <<'END'
HMMA.1688.F32 R12, R8, R6, R12
HMMA.1688.F32.TF32 R12, R8, R6, R12
HMMA.1684.F32.TF32 R12, R8, R6, R12
@!P0 BRA 0x0
EXIT
END
} >"$work/text3"
awk -v levels=1 -f tests/cuda_loops.awk -f tests/cuda_levels.awk "$work/text3" >"$work/levels"
# expect_levels NAME FIELDS: registers; then outside, in a turn and in an inner turn: instructions,
# tensor-core work, clocks of shared memory, accesses.
expect_levels() {
  local row
  row=$(awk -F '\t' -v OFS=' ' -v name="$1" '$2 == name { $1 = $2 = ""; print substr($0, 3) }' "$work/levels")
  check "$1: '$row', expected '${*:2}'" test "$row" = "${*:2}"
}
expect_levels plain   13  7 0 7 1  5 2 4 0   0 0 0 0
expect_levels nested  13  2 0 0 0  41 4 16 1  0 0 0 0
expect_levels uniform 13  1 0 0 0  15 3 0 0  0 0 0 0
expect_levels apart   13  1 0 0 0  7 1 0 0   0 0 0 0
expect_levels two     13  1 0 0 0  3 1 0 0   0 0 0 0
expect_levels scalar  5   3 0 0 0  0 0 0 0   0 0 0 0
expect_levels ways    21  7 0 0 0  5 0 0 3   0 0 0 0
expect_levels passes  5   1 0 0 0  4 0 0 2   3 0 4 1
expect_levels half    13  1 0 0 0  4 2 0 0   0 0 0 0

# --- against the baseline
expect_ok count "$work/text"
expect_text "$work/stdout" "7 kernels, 0 differ from the baseline of nvcc 13.0.1, "
check "nothing differs" test "$(grep -c 'differences' "$work/stdout")" -eq 0
{
  sed -n '/code for/p; /: two/,/: scalar/p' "$work/text" | sed '$d'
  kernel extra <<<'EXIT'
  kernel plain <<'END'
HMMA.16816.F32.BF16 R8, R4, R6, R8
HMMA.16816.F32.BF16 R8, R4, R6, R8
ISETP.GE.AND P0, PT, R0, UR4, PT
@!P0 BRA 0x0
END
} >"$work/text2"
expect_ok count "$work/text2"
expect_text "$work/stdout" "  sm_90 plain: tile 4, was 5, ratio 0.800"
expect_text "$work/stdout" "  sm_90 extra: new, 1 instructions"
for name in nested uniform pair apart scalar; do expect_text "$work/stdout" "  sm_90 $name: gone"; done
expect_text "$work/stdout" "3 kernels, 7 differ from the baseline"

# --- kernels that cannot be counted
{ printf '\tcode for sm_90\n'; kernel lost <<<'@P0 BRA 0x400'; } >"$work/broken"
printf '\tcode for sm_90\n\t\tFunction : hollow\n' >"$work/hollow"
sed '/Function/d' "$work/text" >"$work/nameless"
sed 's/sm_90/sm_80/' "$work/text" >"$work/other"
expect_broken 2 "lost: a branch leads to 0x400, where no instruction stands" count "$work/broken"
expect_broken 2 "hollow: a kernel without instructions" count "$work/hollow"
expect_broken 2 "line 3: an instruction outside a kernel" count "$work/nameless"
expect_broken 2 "no kernel for sm_90" count "$work/other"
expect_broken 2 "$work/missing: cat: " count "$work/missing"
sed -i 's/\t19\t.*/\tmany/' "$work/base.tsv"
expect_broken 2 "base.tsv: line 5: not the 12 columns of a kernel" count "$work/text"
rm "$work/base.tsv"
expect_broken 2 "base.tsv: no such file" count "$work/text"

# --- without a disassembler: one line, and no baseline
ln -s "$(command -v dirname)" "$work/elsewhere/dirname"
without() {
  env -u CUOBJDUMP PATH="$work/elsewhere" NVCC="$1" "$BASH" tests/cuda_instructions.sh "${@:2}" \
    "$work/base.tsv" "$work/text"
}
# expect_skipped REASON NVCC
expect_skipped() {
  local status=0
  expect_ok without "$2"
  check "skipped: $1" test "$(cat "$work/stdout" "$work/stderr")" = "instructions not counted: $1"
  without "$2" --new >"$work/stdout" || status=$?
  check "a baseline is not skipped: exit status 1, not $status" test $status -eq 1
}
expect_skipped "no CUDA toolkit" ""
expect_skipped "no cuobjdump beside $work/alone/nvcc, in the PATH or in a wheel (pip install \
nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm)" "$work/alone/nvcc"
# A disassembler in a wheel is found there.
mkdir -p "$work/packages/nvidia/cu13/bin"
mv "$work/toolkit/cuobjdump" "$work/toolkit/nvdisasm" "$work/packages/nvidia/cu13/bin"
if command -v python3 >/dev/null; then
  expect_ok env PYTHONPATH="$work/packages" PATH="$(dirname "$(command -v python3)"):/usr/bin:/bin" \
    NVCC="$work/alone/nvcc" tests/cuda_instructions.sh --new "$work/base.tsv" "$work/text"
  rm "$work/base.tsv"
else
  skip "a disassembler in a wheel" "no python3"
fi
cp "$work/packages/nvidia/cu13/bin/cuobjdump" "$work/alone"
expect_skipped "$work/alone/cuobjdump needs nvdisasm beside it or in the PATH" "$work/alone/nvcc"
check "no baseline" test ! -e "$work/base.tsv"

# --- the real kernels
committed=docs/results/cuda-instructions.tsv
version_of() { sed -n 's/^# nvcc \([0-9.]*\), .*/\1/p' "$1"; }
check "$committed names nvcc's version" test -n "$(version_of $committed)"
# The results page repeats the rows of kernels with loops over tiles.
awk -F '\t' '/^sm_90/ && $9 != "-" {
  printf "| `%s` | %s | %s | %s | %s | %.1f | %s |\n", $2, $3, $9, $10, $11, $9 / $10, $12
}' $committed >"$work/rows"
check "rows of attention" test -s "$work/rows"
while read -r row; do expect_text "${committed%.tsv}.md" "$row"; done <"$work/rows"
# docs/cuda.md repeats the rows of a step in bf16.
sed -n "/^train bf16  /,/^step /p" docs/results/step-cost.txt >"$work/rows"
check "rows of a step" test "$(wc -l <"$work/rows")" -gt 9
while read -r row; do expect_text docs/cuda.md "$row"; done <"$work/rows"
logs=()
for source in engine/cuda/*.cu; do
  if log=$(kernel_log "$source" 90); then logs+=("$log"); fi
done
status=0
count_step=$CDT_BUILD/emulated/tests/count_step
if [ ${#logs[@]} -gt 0 ]; then
  if [ -x "$count_step" ]; then "$count_step" >"$work/list"; else : >"$work/list"; fi
  env -u KINDS NVCC="$(cuda_setting NVCC)" tests/cuda_instructions.sh --new --cost "$work/list" "$work/base.tsv" \
    "${logs[@]%.log}" >"$work/stdout" 2>"$work/stderr" || status=$?
fi
if [ ${#logs[@]} -eq 0 ]; then
  skip "instructions of the real kernels" "no kernel is compiled for sm_90"
elif [ $status -eq 1 ]; then
  skip "instructions of the real kernels" "$(sed 's/.* counted: //' "$work/stdout")"
elif [ $status -ne 0 ]; then
  fail "instructions of the real kernels: exit status $status" "$work/stderr"
else
  pass
  sed -n "s/.*Compiling entry function '\(.*\)' for 'sm_90'.*/\1/p" "${logs[@]}" | tests/cuda_names.sh |
    sort -u >"$work/names"
  sed '1,3d' "$work/base.tsv" | cut -f 2 | sort -u >"$work/counted"
  check "kernels in the logs" test -s "$work/names"
  expect_same "$work/names" "$work/counted"
  for name in forward key_gradient query_gradient; do
    check "$name: a loop over tiles" \
      awk -F '\t' -v name="${name}_kernel<BFloat16, 96>" '$2 == name && $9 > 0 { ok = 1 } END { exit !ok }' \
      "$work/base.tsv"
  done
  # Another compiler gives other numbers; the same one must not.
  sed '/^#/d' $committed >"$work/then"
  sed '/^#/d' "$work/base.tsv" >"$work/now"
  if [ -s "$work/list" ]; then
    cat docs/results/step-cost.txt >>"$work/then"
    cat "$work/step-cost.txt" >>"$work/now"
  fi
  if cmp -s "$work/then" "$work/now"; then
    pass
  elif [ "$(version_of $committed)" = "$(version_of "$work/base.tsv")" ]; then
    diff "$work/then" "$work/now" >"$work/difference"
    fail "$committed or step-cost.txt beside it is not of these kernels: make cuda-report BASELINE=new" "$work/difference"
  else
    note "nvcc $(version_of "$work/base.tsv"): other instructions than $committed of $(version_of $committed)"
  fi
fi
finish
