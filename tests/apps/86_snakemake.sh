#!/bin/bash
# The Snakefile of apps/cluster, with each Snakemake that is found: shards and their merging on a Slurm cluster that is
# started here, a study on this machine, and a failure.
source tests/apps/lib.sh
source tests/cluster/one_node.sh
trap 'stop_slurm; rm -rf "$work"' EXIT
# Of pip, where .ci/run or a developer put it, and of the system.
mapfile -t snakemakes < <(for program in "$PWD/build/snakemake/bin/snakemake" "$(command -v snakemake)"; do
  [ ! -x "$program" ] || echo "$program"
done)
[ ${#snakemakes[@]} -gt 0 ] || { skip 'Snakemake' 'not installed (pip or package snakemake)'; finish; }
slurm_runs=1
start_slurm "$work/slurm" 8 || { skip 'Snakemake on Slurm' "$slurm_reason"; slurm_runs=''; }

tiny_model --noise 0.08
here=$(realpath apps/cluster/snakemake) bin=$(realpath "$CDT_BIN")
mkdir "$work/a folder" && mv "$data" "$work/run" "$work/a folder"
cd "$work/a folder" || exit 1
options=(--split train --methods occlusion --tracks 3 --null-replicates 99 --quiet)
cat >settings.yaml <<END
bin: $bin
options: ${options[*]}
out: the result
threads: 1
mem_mb: 500
runtime: 30
study:
  out: a study
  seeds: 1
  folds: 3
  options: ["--predict", "--positive-below -0.1 --bootstrap 100",
    "--train", "--epochs 1 --hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16"]
END

# snake TARGET OPTION...
snake() { timeout 300 "$snakemake" "$1" --snakefile "$here/Snakefile" --configfile settings.yaml "${@:2}"; }

# run_merged OPTION...: eight shards, merged.
run_merged() {
  rm -rf 'the result'*
  expect_ok snake merge "$@"
  check "$version: the bytes of the whole" diff -r -x provenance.json whole 'the result'
}

check_shards() {
  # After a second, not 40, Snakemake 8 and newer ask Slurm for the first time.
  local soon=() status=0
  [ "${version%%.*}" -lt 8 ] || soon=(--slurm-init-seconds-before-status-checks 1 --seconds-between-status-checks 1)
  if [ -n "$slurm_runs" ]; then
    run_merged --profile "$here/slurm" "${soon[@]}"
    check "$version: jobs of Slurm" [ "$(scontrol --oneliner show job | grep -c JobState=COMPLETED)" -ge 8 ]
  else
    run_merged --cores 2
  fi
  expect_ok snake merge --cores 2
  expect_text <(cat "$work/stdout" "$work/stderr") 'Nothing to be done'

  echo 'no model' >bad
  snake merge --cores 2 --config model=bad out=none shards=2 retries=1 >"$work/stdout" 2>&1 || status=$?
  check "$version: a failure is seen" [ $status -ne 0 ]
  check "$version: and nothing is merged" [ ! -e none ]
  expect_text "$work/stdout" 'Trying to restart job'
  expect_text none.log/1.log 'cdt-attribute: bad: '
  rm -r none.*
}

check_study() {
  rm -rf 'a study'
  expect_ok snake study --cores 2
  check "$version: the page of the study" [ -s 'a study/study.html' ]
  check "$version: three runs" [ "$(cd 'a study/predictions' && echo share-* | wc -w)" -eq 3 ]
}

expect_ok "$bin/cdt-attribute" --data data --model run/model.safetensors "${options[@]}" --out whole
for snakemake in "${snakemakes[@]}"; do
  version=$("$snakemake" --version)
  note "Snakemake $version"
  check_shards
  if command -v gnuplot >/dev/null; then check_study; else skip "a study with $version" 'no gnuplot'; fi
  # Of what --lint advises, only environments are missing: the programs are built by make.
  "$snakemake" --lint --snakefile "$here/Snakefile" >"$work/lint" 2>&1
  check "$version: lint" [ "$(grep -o '^ *\* .*' "$work/lint" | sort -u)" = \
    '    * Specify a conda environment or container for each rule.:' ]
done
finish
