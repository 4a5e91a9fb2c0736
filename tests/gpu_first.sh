#!/bin/bash
# shellcheck disable=SC2034  # the parts in tests/gpu use what is set here
# Runs everything that needs a GPU, most informative first, on a machine with a driver and bash, but no
# compiler, make or packages. PACK is made by `make gpu-pack`. Exit status: 0 if no step failed, 1 if one
# did, 2 if nothing could be run (one line says why).
#
#   tests/gpu_first.sh PACK OUT       PACK: gpu-pack.tar.xz, or the folder it unpacks to
#
# OUT/results.json and OUT/log.txt are complete after every step; nothing else is left. Environment:
#   MINUTES=9         no step starts later than this; the rest is listed as not reached
#   STEPS='facts ...' only these steps (tests/gpu/steps.sh lists them)
#   PYTHON=python3    its PyTorch is timed next to the engine
#   CDT_STEP_LIMIT=60 seconds for each step instead of its own limit
#   EMULATED=1        a rehearsal on the pack's emulated GPU at small sizes
set -u
export LC_ALL=C OMP_WAIT_POLICY=passive  # for PyTorch and the emulated matrix products
began=$EPOCHSECONDS

refuse() {
  echo "gpu-first: $1" >&2
  exit 2
}

# unpack ARCHIVE FOLDER
unpack() {
  local said
  if command -v xz >/dev/null; then
    said=$(tar -xJf "$1" -C "$2" 2>&1) && return
  elif command -v python3 >/dev/null; then
    said=$(python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' \
      "$1" "$2" 2>&1) && return
  else
    refuse "neither xz nor python3 is here to unpack $1"
  fi
  refuse "$1: is truncated or damaged ($(printf '%s' "$said" | head -n 1))"
}

# check_pack: every file of manifest.json is as it was packed.
check_pack() {
  local bad
  [ -s manifest.json ] || refuse "$pack: holds no manifest.json: is it a pack of make gpu-pack?"
  bad=$(sed -nE 's/^ *\{"file": "(.*)", "bytes": [0-9]+, "sha256": "([0-9a-f]+)"\},?$/\2  \1/p' manifest.json |
    sha256sum -c --quiet 2>/dev/null) || refuse "$pack: differs from its manifest: ${bad%%$'\n'*}"
}

# text_of KEY: a text from the manifest.
text_of() { sed -nE "s/^ *\"$1\": \"(.*)\",?\$/\1/p" manifest.json; }

[ $# -eq 2 ] || refuse "usage: tests/gpu_first.sh PACK OUT"
[ -e "$1" ] || refuse "$1: there is no such file or folder"
pack=$(realpath "$1")
{ mkdir -p "$2" && : >"$2/results.json.new"; } 2>/dev/null || refuse "$2: cannot be written"
out=$(realpath "$2")
[[ ${MINUTES:=9} =~ ^[0-9]+(\.[0-9]+)?$ ]] || refuse "MINUTES: is no number of minutes (got $MINUTES)"
deadline=$(awk -v from="$began" -v minutes="$MINUTES" 'BEGIN { printf "%d", from + 60 * minutes }')
scratch=$(mktemp -d) || refuse "no temporary folder"
trap 'rm -rf "$scratch"' EXIT
root=$pack
if [ ! -d "$pack" ]; then
  root=$scratch/pack
  mkdir "$root"
  unpack "$pack" "$root"
fi
cd "$root" || exit 2
check_pack
for part in results runner libraries steps comparisons facts; do
  # shellcheck disable=SC1090
  source "tests/gpu/$part.sh"
done
build=. material=.
if emulated; then
  # Times are meaningless there.
  export CDT_EMULATED_MEMORY=$((32 << 30)) CDT_STEP_LIMIT=${CDT_STEP_LIMIT:-600}
else
  require_driver
fi
read -r -a wanted <<<"${STEPS:-}"
choose_steps "$(list_steps)" ${wanted[@]+"${wanted[@]}"}
settle_libraries "$(path_of cdt-train)"
version=$(text_of commit)
collect_facts "$(path_of cdt-train)"
# Reads the several GB that PyTorch loads on first import, while the first steps run.
emulated || (setsid timeout 120 "${PYTHON:-python3}" -c 'import torch, torch._inductor' >/dev/null 2>&1 7>&- &)
run_steps
