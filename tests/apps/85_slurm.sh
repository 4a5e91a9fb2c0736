#!/bin/bash
# The Slurm scripts of apps/cluster, on a cluster of one node that is started here: shards, a study and a training make
# the same bytes as without Slurm, also if tasks are cancelled or their time is up, and a failure is seen.
source tests/apps/lib.sh
source tests/cluster/one_node.sh
trap 'stop_slurm; rm -rf "$work"' EXIT
start_slurm "$work/slurm" 8 || { skip 'Slurm' "$slurm_reason"; finish; }
scripts=apps/cluster/slurm
root="$work/a folder"
tiny_model --noise 0.08
mkdir "$root" && mv "$data" "$work/run" "$root"
data=$root/data model=$root/run/model.safetensors
export CORES=1 MEMORY=500M TIME=0:30:00 BIN=$CDT_BIN

# submit COMMAND...: leaves the numbers of the array and of the job that waits for it in $array and $last.
submit() {
  expect_ok "$@"
  read -r array last < <(sed -n 's/^submitted: .* as job \([0-9]*\), .* as job \([0-9]*\);.*/\1 \2/p' "$work/stdout")
}
ended() { until_true 300 no_jobs || fail 'jobs do not end' <(squeue); }
is() { check "$1: $2" [ "$(states "$1")" = "$2" ]; }
same_files() { check "$2: the bytes of the whole" diff -r -x provenance.json "$1" "$2"; }

# The time of one shard is up, another is cancelled, so they are not merged; the same command finishes them.
check_shards() {
  local options=(--split train --methods all --smooth-samples 3 --tracks 3 --null-replicates 99 --quiet) paused=$work/1
  local shards=(env DATA="$data" MODEL="$model" OUT="$root/scores" "$scripts/shards.sh" "${options[@]}") task
  expect_ok "$CDT_BIN/cdt-attribute" --data "$data" --model "$model" "${options[@]}" --out "$root/whole"
  cp "$work/stdout" "$work/whole.txt"
  paused_program "$paused" cdt-attribute "$root/scores.shards/{task}/shard.journal" 1 2
  BIN=$paused submit "${shards[@]}"
  for task in 1 2; do until_true 300 waits "$paused" "cdt-attribute-$task"; done
  time_is_up "${array}_1"
  scancel "${array}_2"
  ended
  for task in 1 3 4 5 6 7 8; do is "${array}_$task" COMPLETED; done
  check 'one turn more' [ "$(turns "${array}_1")" -eq 1 ]
  expect_text "$root/scores.log/cdt-attribute-$array-1.log" 'the time is up; back to the queue'
  is "${array}_2" CANCELLED
  is "$last" CANCELLED
  check 'nothing is merged' [ ! -e "$root/scores" ]
  submit "${shards[@]}"
  ended
  is "$array" COMPLETED
  is "$last" COMPLETED
  expect_text "$root/scores.log/cdt-attribute-$array-1.log" 'is finished already'
  same_files "$root/whole" "$root/scores"
  # After the lines of the job and of the progress
  tail -n "$(wc -l <"$work/whole.txt")" "$root/scores.log/cdt-merge-$last.log" >"$work/merged.txt"
  expect_same "$work/whole.txt" "$work/merged.txt"

  expect_ok "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --split val --quiet --out "$root/predicted"
  PROGRAM=cdt-predict DATA=$data MODEL=$model OUT=$root/prediction submit "$scripts/shards.sh" --split val --quiet
  ended
  is "$last" COMPLETED
  same_files "$root/predicted" "$root/prediction"
}

# A failure ends in no result, and is seen; a mistake that can be seen at once is refused.
check_failures() {
  echo 'no model' >"$root/bad"
  DATA=$data MODEL=$root/bad OUT=$root/none SHARDS=2 submit "$scripts/shards.sh"
  ended
  is "$array" FAILED
  is "$last" CANCELLED
  expect_text <(scontrol show job "${array}_2") 'ExitCode=2:0'
  expect_text "$root/none.log/cdt-attribute-$array-2.log" "cdt-attribute: $root/bad: "
  check 'no result' [ ! -e "$root/none" ]
  # shellcheck disable=SC2016  # for the job's shell
  array=$(RESTARTS=0 sbatch --parsable --output="$work/turns.log" "$scripts/step.sbatch" \
    sh -c 'touch "$0" && sleep 300' "$work/begun")
  until_true 300 [ -e "$work/begun" ]
  scancel --batch --signal=USR1 "$array"
  ended
  is "$array" FAILED
  expect_text "$work/turns.log" 'the time is up in turn 1, the last (RESTARTS)'
  DATA=$data MODEL=$root/nowhere refuse 'nowhere: no such file'
  DATA=$root MODEL=$model refuse 'no data set'
  DATA=$data MODEL=$model OUT=$root/whole refuse 'whole exists'
  DATA=$data MODEL=$model SHARDS=none refuse 'SHARDS: expected a whole number'
  DATA=$data MODEL=$model PROGRAM=cdt-guess refuse 'no such program'
}
refuse() {
  local status=0
  mkdir -p "$root/whole"
  "$scripts/shards.sh" >"$work/stdout" 2>"$work/stderr" || status=$?
  check "refused: $1" [ "$status" -eq 2 ]
  expect_text "$work/stderr" "$1"
}

# A study, of which one training's time is up.
check_study() {
  local study=(--data "$data" --folds 3 --seeds 1 --predict '--positive-below -0.1 --bootstrap 100'
    --train '--epochs 2 --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16') paused=$work/2
  expect_ok apps/study/study.sh --bin "$CDT_BIN" "${study[@]}" --out "$root/study here" --jobs 2
  paused_program "$paused" cdt-train "$root/study/runs/share-1-fold-3-seed-1/last/state.safetensors" 3
  BIN=$paused submit "$scripts/study.sh" "${study[@]}" --out "$root/study"
  until_true 300 waits "$paused" cdt-train-3
  time_is_up "${array}_3"
  ended
  is "$array" COMPLETED
  is "$last" COMPLETED
  check 'one turn more' [ "$(turns "${array}_3")" -eq 1 ]
  check 'predictions' diff -r -x provenance.json -x metrics.json "$root/study here/predictions" "$root/study/predictions"
  expect_same "$root/study here/study/study.tsv" "$root/study/study/study.tsv"
}

# check_training RANKS OPTION...: a training of sbatch whose time is up, against $root/straight of as many ranks.
check_training() {
  local paused=$work/training-$1 out="$root/trained on $1" job
  paused_program "$paused" cdt-train "$out/last/state.safetensors" 0
  job=$(BIN=$paused DATA=$data OUT=$out sbatch --parsable --ntasks-per-node="$1" --mem=500M --cpus-per-task=1 \
    --output="$work/train.log" "$scripts/train.sbatch" "${training[@]}")
  until_true 300 waits "$paused" cdt-train-0
  time_is_up "$job"
  ended
  is "$job" COMPLETED
  check 'one turn more' [ "$(turns "$job")" -eq 1 ]
  expect_text "$work/train.log" 'turn 2, on'
  expect_same "$root/straight/model.safetensors" "$out/model.safetensors"
}
without_ranks() {
  ldd "$CDT_BIN/cdt-train" | grep -q libmpi || { echo 'this build has no MPI'; return; }
  command -v mpirun >/dev/null || { echo 'no mpirun'; return; }
  srun --mpi=list 2>&1 | grep -qw pmix || echo 'this Slurm has no pmix'
}

check_shards
check_failures
if command -v gnuplot >/dev/null; then check_study; else skip 'a study' 'no gnuplot'; fi
training=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --epochs 4 --quiet)
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$root/straight" "${training[@]}"
SLURM_MPI_TYPE=none check_training 1
why=$(without_ranks)
if [ -z "$why" ]; then
  allow_mpirun_here
  OMP_NUM_THREADS=1 expect_ok mpirun -n 2 "$CDT_BIN/cdt-train" --data "$data" --out "$root/straight" --overwrite \
    "${training[@]}"
  check_training 2
else
  skip 'a training on two ranks' "$why"
fi
finish
