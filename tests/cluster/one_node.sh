# shellcheck shell=bash
# A Slurm cluster of one node, in a folder, for the tests of apps/cluster: the daemons are started by hand, on ports
# and with a key of their own, as the user who runs the tests. Nothing of a Slurm that the machine has is touched.

# missing_for_slurm: prints what is not installed, one word each.
missing_for_slurm() {
  local tool
  for tool in munged slurmctld slurmd sbatch scontrol; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || echo "$tool"
  done
}

# free_port: a port on which nothing answers.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# slurm_settings FOLDER SLOTS: slurm.conf for a node with SLOTS slots, whatever the machine has. Linux's process table
# takes the place of cgroups, which a container may not make.
slurm_settings() {
  local name user
  name=$(hostname -s) user=$(id -un)
  cat <<END
ClusterName=cdt
SlurmctldHost=$name(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
AuthType=auth/munge
AuthInfo=socket=$1/munge.socket
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool
TmpFS=$1/tmp
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
KillWait=10
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
NodeName=$name NodeAddr=127.0.0.1 CPUs=$2 RealMemory=65536
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
}

# until_true SECONDS COMMAND...: repeats the command until it succeeds.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

node_is_idle() { [ "$(sinfo --noheader --format %t)" = idle ]; }

# start_slurm FOLDER SLOTS: false, with the reason in $slurm_reason, where the daemons may not or do not start.
start_slurm() {
  slurm=$1
  PATH=$PATH:/usr/sbin
  slurm_reason=$(missing_for_slurm | paste -sd ' ')
  [ -z "$slurm_reason" ] || { slurm_reason="not installed: $slurm_reason (packages slurm-wlm, munge)"; return 1; }
  mkdir -p "$slurm/state" "$slurm/spool" "$slurm/tmp" "$slurm/bin"
  chmod 711 "$slurm" "$(dirname "$slurm")"
  slurm_settings "$slurm" "$2" >"$slurm/slurm.conf"
  export SLURM_CONF=$slurm/slurm.conf
  # Snakemake takes the variables of Slurm out of a job's environment.
  printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$SLURM_CONF" "$(command -v srun)" >"$slurm/bin/srun"
  chmod +x "$slurm/bin/srun"
  PATH=$slurm/bin:$PATH
  (umask 077 && head -c 1024 /dev/urandom >"$slurm/munge.key")
  start_daemon munged --key-file="$slurm/munge.key" --socket="$slurm/munge.socket" --pid-file="$slurm/munged.pid" \
    --log-file="$slurm/munged.log" --seed-file="$slurm/munged.seed" || return
  start_daemon slurmctld || return
  start_daemon slurmd || return
  until_true 60 node_is_idle || { slurm_reason="the node does not answer: $(tail -n 1 "$slurm/slurmd.log")"; return 1; }
}

# start_daemon COMMAND...: it goes into the background by itself once it has started.
start_daemon() {
  "$@" >"$slurm/$1.err" 2>&1 9>&- || { slurm_reason="$1 does not start: $(tail -n 1 "$slurm/$1.err")"; return 1; }
}

# stop_slurm: ends all jobs and the daemons.
stop_slurm() {
  local name pid
  [ -n "${slurm:-}" ] || return 0
  scancel --user="$(id -un)" --quiet 2>/dev/null
  until_true 20 no_jobs
  for name in slurmd slurmctld munged; do
    pid=$(cat "$slurm/$name.pid" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null
    until_true 10 gone "$pid" || kill -KILL "$pid"
  done
  slurm=''
}
no_jobs() { [ -z "$(squeue --noheader)" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# states JOB: the states of a job, or of the tasks of an array, each once.
states() { scontrol --oneliner show job "$1" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p' | sort -u | paste -sd ' '; }

# turns TASK: how often it was put back to the queue.
turns() { scontrol --oneliner show job "$1" | sed -n 's/.* Restarts=\([0-9]*\).*/\1/p'; }

# time_is_up TASK: the signal that Slurm sends before the time limit. Then the task begins again, not only after two
# minutes; but not within the second in which its permission to run was withdrawn, which would be refused.
time_is_up() {
  scancel --batch --signal=USR1 "$1"
  until_true 300 requeued "$1" && scontrol update JobId="$1" StartTime=now+2
}
requeued() { [ "$(states "$1")" = PENDING ] && [ "$(turns "$1")" -gt 0 ]; }

# paused_program FOLDER PROGRAM FILE TASK...: programs in FOLDER of which PROGRAM waits, in the first turn of these tasks,
# in the middle of its work: once FILE exists, in which {task} is the number of the task. SIGTERM ends the wait.
paused_program() {
  local paused=$1 tasks=" ${*:4} "
  shift
  mkdir -p "$paused/seen"
  ln -sf "$(realpath "$CDT_BIN")"/* "$paused"
  rm "$paused/$1"
  cat >"$paused/$1" <<END
#!/bin/bash
program=$(printf %q "$(realpath "$CDT_BIN/$1")") file=$(printf %q "$2") seen=$(printf %q "$paused/seen")
task=\${SLURM_ARRAY_TASK_ID:-0}
[[ "$tasks" == *" \$task "* ]] || exec "\$program" "\$@"
mkdir "\$seen/$1-\$task" 2>/dev/null || exec "\$program" "\$@"
trap 'ended=1' TERM
"\$program" "\$@" &
until [ -n "\${ended:-}" ] || [ -e "\${file//\{task\}/\$task}" ] || ! kill -0 \$! 2>/dev/null; do sleep 0.02; done
kill -STOP \$! 2>/dev/null
touch "\$seen/$1-\$task/waits"
until [ -n "\${ended:-}" ]; do sleep 0.1; done
kill -CONT \$! 2>/dev/null && kill -TERM \$! 2>/dev/null
wait
exit 1
END
  chmod +x "$paused/$1"
}
waits() { [ -e "$1/seen/$2/waits" ]; }
