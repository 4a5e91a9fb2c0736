# shellcheck shell=bash
# Network namespaces of this machine that act as hosts: each with its own name, address and network device, joined
# by a bridge. Needs root, and `ip` (package iproute2). Source it, then: make_hosts 4; on_hosts RANKS COMMAND...
#
# Variables: hosts (names), work (a temporary folder).

# make_hosts N: 10.77.0.1 to 10.77.0.N. Returns 1 where namespaces cannot be made.
make_hosts() {
  local i name
  hosts=()
  host_prefix=cdt$$
  bridge=$host_prefix
  ip link add "$bridge" type bridge 2>/dev/null && ip link set "$bridge" up || return 1
  for ((i = 1; i <= $1; i++)); do
    name=${host_prefix}n$i
    ip netns add "$name" || return 1
    hosts+=("$name")
    ip link add "${host_prefix}v$i" type veth peer name eth0 netns "$name" || return 1
    ip link set "${host_prefix}v$i" master "$bridge" up
    ip -n "$name" addr add "10.77.0.$i/24" dev eth0
    ip -n "$name" link set eth0 up
    ip -n "$name" link set lo up
  done
  # What mpirun uses in place of ssh: HOST COMMAND...
  cat >"$work/remote_shell" <<'SHELL'
#!/bin/sh
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*"
SHELL
  chmod +x "$work/remote_shell"
}

remove_hosts() {
  local name
  for name in "${hosts[@]}"; do ip netns del "$name" 2>/dev/null; done
  ip link del "$bridge" 2>/dev/null
}

# slow_network RATE: limits what every host sends, such as 100mbit.
slow_network() {
  local name
  for name in "${hosts[@]}"; do
    ip netns exec "$name" tc qdisc replace dev eth0 root tbf rate "$1" burst 1mb latency 200ms
  done
}

# on_hosts RANKS COMMAND...: one rank a host; mpirun itself runs on the first.
on_hosts() {
  local ranks=$1 list
  shift
  list=$(printf '%s:1,' "${hosts[@]}")
  ip netns exec "${hosts[0]}" unshare --uts sh -c 'hostname "$1"; shift; exec "$@"' sh "${hosts[0]}" \
    mpirun -n "$ranks" --host "${list%,}" --mca plm_rsh_agent "$work/remote_shell" --mca btl tcp,self \
    --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 "$@"
}
