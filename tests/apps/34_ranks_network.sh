#!/bin/bash
# Data-parallel training on four hosts, which are network namespaces of this machine: the bits do not depend on
# the network, each rank reads only its rows of DNA, and a host that is cut off ends the run.
source tests/apps/lib.sh
source tests/support/four_hosts.sh
if [ -z "$(mpi_flags)" ] || ! command -v mpirun >/dev/null || ! command -v ip >/dev/null ||
  ! command -v tc >/dev/null; then
  skip 'training on four hosts' 'this build has no MPI, or mpirun, ip or tc is missing'
  finish
fi
if ! make_hosts 4 2>"$work/why"; then
  remove_hosts
  skip 'training on four hosts' "no network namespaces: $(head -n 1 "$work/why")"
  finish
fi
trap 'remove_hosts; rm -rf "$work"' EXIT
tiny_training
allow_mpirun_here
run=("${new[@]}" --epochs 2 --seed 5)

expect_ok mpirun -n 4 "${run[@]}" --out "$work/here"
expect_ok on_hosts 4 "${run[@]}" --out "$work/hosts"
slow_network 50mbit
expect_ok on_hosts 4 "${run[@]}" --out "$work/slow"
for other in hosts slow; do
  expect_same "$work/here/model.safetensors" "$work/$other/model.safetensors"
  expect_same "$work/here/last/model.safetensors" "$work/$other/last/model.safetensors"
done

# The third host loses its network in the middle of a run.
on_hosts 4 "${new[@]}" --epochs 5000 --patience 5000 --out "$work/cut" >"$work/stdout" 2>"$work/stderr" &
launcher=$!
await_file "$work/cut/metrics.jsonl"
ip netns exec "${hosts[2]}" ip link set eth0 down
# The ranks end; mpirun itself goes on waiting for its daemon on the lost host.
ranks_left() { pgrep -f "^[^ ]*cdt-train .*$work/cut" >/dev/null; }
for ((i = 0; i < 1200; i++)); do
  ranks_left || break
  sleep 0.1
done
check 'all ranks have ended' eval '! ranks_left'
# The rank that is cut off misses the others in the same moment and may end first, which they see here: these hosts
# share process numbers.
check 'one of them says why' [ "$(grep -cE '^cdt-train: rank 2 .* has (not answered for 20 s|ended)$' "$work/stderr")" -eq 1 ]
check 'and no other says anything' [ "$(grep -c '^cdt-train: ' "$work/stderr")" -eq 1 ]
pkill -KILL -f "$work" || true
wait $launcher 2>/dev/null
done_epochs=$(wc -l <"$work/cut/metrics.jsonl")
expect_ok mpirun -n 4 "$train" --resume --quiet --threads 1 --epochs $((done_epochs + 1)) --patience 5000 --out "$work/cut"
finish
