#!/bin/bash
# Predicts or explains on a Slurm cluster: an array of jobs, one for each shard of the work, then a job that merges the
# shards into the folder that a single job would have written, byte for byte.
#
#   apps/cluster/slurm/shards.sh [OPTION...]    further options of the program, such as --split test --methods all
#
# Change the settings in a copy of this file, or give them in front: SHARDS=40 OUT=scores apps/cluster/slurm/shards.sh
# The same command continues what failed: finished shards are kept.
set -euo pipefail

# --- Settings
program=${PROGRAM:-cdt-attribute}      # cdt-attribute or cdt-predict
data=${DATA:-data}                     # the data set
model=${MODEL:-run/model.safetensors}  # the trained model
out=${OUT:-attribution}                # the result; shards are kept in OUT.shards, logs in OUT.log
shards=${SHARDS:-8}                    # the number of jobs
at_once=${AT_ONCE:-$shards}            # how many of them may run at once
# Of one shard; a job that needs longer continues in a new turn.
time=${TIME:-4:00:00}                  # hours:minutes:seconds
cores=${CORES:-4}
memory=${MEMORY:-8G}
sbatch=${SBATCH:-}                     # further options of sbatch, such as --partition=long --account=lab

here=$(cd "$(dirname "$0")" && pwd)
cdt=${CDT:-$here/../../..}             # the folder of the engine
bin=${BIN:-$cdt/build/bin}             # its programs

# --- Submission
die() {
  printf 'shards: %s\n' "$1" >&2
  exit 2
}
[ -x "$bin/$program" ] || die "PROGRAM: $bin/$program: no such program; run make"
[ -e "$data/dataset.json" ] || die "DATA: $data: no data set (dataset.json is missing)"
[ -e "$model" ] || die "MODEL: $model: no such file"
[[ $shards =~ ^[1-9][0-9]*$ ]] || die "SHARDS: expected a whole number, got $shards"
[ ! -e "$out" ] || die "OUT: $out exists"
mkdir -p "$out.shards" "$out.log"
read -r -a further <<<"$sbatch"
submit=(sbatch --parsable "${further[@]}" --output "$out.log/%x-%j.log")

array=$("${submit[@]}" --job-name "$program" --array "1-$shards%$at_once" --output "$out.log/%x-%A-%a.log" \
  --time "$time" --cpus-per-task "$cores" --mem "$memory" "$here/step.sbatch" \
  "$bin/$program" --data "$data" --model "$model" "$@" --shard "{task}/$shards" --continue --out "$out.shards/{task}")
array=${array%%;*}
folders=()
for shard in $(seq "$shards"); do folders+=("$out.shards/$shard"); done
# Runs only if every shard has succeeded; otherwise Slurm cancels it.
merge=$("${submit[@]}" --job-name cdt-merge --dependency "afterok:$array" --kill-on-invalid-dep=yes \
  --time "$time" --mem "$memory" "$here/step.sbatch" "$bin/cdt-merge" "$out" "${folders[@]}")
echo "submitted: $shards shards as job $array, their merging as job ${merge%%;*}; logs in $out.log"
