#!/bin/bash
# A study on a Slurm cluster: an array of jobs, one for each fold and seed, then a job that combines them into one
# table and one page. The data set is split and the settings are checked before anything is submitted.
#
#   apps/cluster/slurm/study.sh --data DIR --out DIR [OPTION...]    the options of apps/study/study.sh, without --jobs
#
# The same command continues what failed, and more --seeds or --shares extend a study: finished runs are kept.
set -euo pipefail

# --- Settings: in a copy of this file, or in front of the command
# Of one run, a training and a prediction; a job that needs longer continues in a new turn.
time=${TIME:-12:00:00}                 # hours:minutes:seconds
cores=${CORES:-8}
memory=${MEMORY:-16G}
at_once=${AT_ONCE:-100}                # how many runs may run at once
sbatch=${SBATCH:-}                     # further options of sbatch, such as --partition=gpu --gpus-per-task=1

here=$(cd "$(dirname "$0")" && pwd)
cdt=${CDT:-$here/../../..}             # the folder of the engine
bin=${BIN:-$cdt/build/bin}             # its programs

# --- Submission
study=("$cdt/apps/study/study.sh" --bin "$bin" "$@")
found=$("${study[@]}" --only prepare)
echo "$found"
runs=$(sed -n 's/^study: \([0-9]*\) runs: .*/\1/p' <<<"$found")
out=''
while [ $# -gt 0 ]; do
  [ "$1" != --out ] || out=$2
  shift
done
read -r -a further <<<"$sbatch"
submit=(sbatch --parsable "${further[@]}" --time "$time" --cpus-per-task "$cores" --mem "$memory")

array=$("${submit[@]}" --job-name cdt-study --array "1-$runs%$at_once" --output "$out/log/%x-%A-%a.log" \
  "$here/step.sbatch" "${study[@]}" --only "{task}")
array=${array%%;*}
# Runs only if every run has succeeded; otherwise Slurm cancels it.
combine=$("${submit[@]}" --job-name cdt-study-combine --output "$out/log/%x-%j.log" --dependency "afterok:$array" \
  --kill-on-invalid-dep=yes "$here/step.sbatch" "${study[@]}")
echo "submitted: $runs runs as job $array, their combination as job ${combine%%;*}; logs in $out/log"
