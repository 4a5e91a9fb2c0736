#!/bin/bash
# The state of a Slurm job as Snakemake 7 asks for it: running, success or failed.
#
#   state.sh JOB
set -euo pipefail
job=$(scontrol --oneliner show job "$1" 2>&1) || true
case $(sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p' <<<"$job") in
  COMPLETED) echo success ;;
  BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | TIMEOUT) echo failed ;;
  # A job that Slurm has forgotten ended long ago; if the controller does not answer, the job may still run.
  '') [[ $job == *'Invalid job id'* ]] && echo failed || echo running ;;
  *) echo running ;;
esac
