#!/bin/bash
# Packs the tracked files of the last commit as FOLDER/cdt-engine-VERSION.tar.gz: sorted, owned by root,
# as old as the commit, so that the same commit gives the same bytes. The archive's .dist names the
# commit and the SHA-256 of every file; where there is no git, the archive is made again from it.
#
#   third_party/packaging/dist.sh VERSION FOLDER
set -euo pipefail
export LC_ALL=C TZ=UTC
version=${1:?usage: dist.sh VERSION FOLDER} folder=${2:?}
name=cdt-engine-$version
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/$name
mkdir "$tree"

refuse() {
  echo "dist: $1" >&2
  exit 2
}

from_git() {
  git archive HEAD | tar -x -C "$tree"
  git diff --quiet HEAD -- || echo "dist: changes that are not committed are left out" >&2
  {
    git show -s --format='commit %H%ndate %ct' HEAD
    (cd "$tree" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum)
  } >"$scratch/dist"
  mv "$scratch/dist" "$tree/.dist"
}

from_archive() {
  local changed
  sed 1,2d .dist >"$scratch/sums"
  changed=$(sha256sum --check --quiet "$scratch/sums" 2>/dev/null | head -n 1) || true
  [ -z "$changed" ] || refuse "not as it was packed: ${changed%: *}; pack it from a git checkout"
  cut -c 67- "$scratch/sums" | tr '\n' '\0' | tar -c --null --files-from=- .dist | tar -x -C "$tree"
}

if [ -e .git ]; then
  from_git
elif [ -f .dist ]; then
  from_archive
else
  refuse "neither a git checkout nor an archive that make dist packed"
fi

mkdir -p "$folder"
tar -C "$scratch" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
  --mtime="@$(sed -n 's/^date //p' "$tree/.dist")" -c "$name" | gzip -n >"$scratch/archive"
mv "$scratch/archive" "$folder/$name.tar.gz"
chmod 644 "$folder/$name.tar.gz"
echo "$folder/$name.tar.gz"
