#!/bin/bash
# Installs the programs of a folder with man pages, completion for bash and zsh, and the documentation.
# What was written is listed in DOCDIR/installed.txt, which uninstall.sh reads; what an earlier
# installation wrote and this one does not is removed.
#
#   third_party/packaging/install.sh BIN    environment: bindir mandir datadir docdir, and DESTDIR
set -euo pipefail
bin=${1:?usage: install.sh BIN} root=${DESTDIR:-}
: "${bindir:?}" "${mandir:?}" "${datadir:?}" "${docdir:?}"
packaging=$(dirname "$0")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
written=$scratch/installed.txt

# put MODE FILE TARGET: TARGET as it will be found, without DESTDIR.
put() {
  mkdir -p "$root${3%/*}"
  install -m "$1" "$2" "$root$3"
  printf '%s\n' "$3" >>"$written"
}

programs=("$bin"/cdt-*)
for program in "${programs[@]}"; do
  name=$(basename "$program")
  put 755 "$program" "$bindir/$name"
  put 644 "$packaging/completion.bash" "$datadir/bash-completion/completions/$name"
done
put 644 "$packaging/completion.zsh" "$datadir/zsh/site-functions/_cdt"

if "$packaging/man_pages.sh" "$bin" "$scratch/man"; then
  for page in "$scratch"/man/*.1; do put 644 "$page" "$mandir/man1/$(basename "$page")"; done
fi

for file in README.md LICENSE CHANGELOG.md CITATION.cff; do put 644 "$file" "$docdir/$file"; done
while IFS= read -r file; do
  put 644 "$file" "$docdir/$file"
done < <(find docs -name '.*' -prune -o -type f -print | sort)

printf '%s\n' "$docdir/installed.txt" >>"$written"
if [ -f "$root$docdir/installed.txt" ]; then
  while IFS= read -r file; do rm -f "$root$file"; done \
    < <(grep -vxFf "$written" "$root$docdir/installed.txt")
fi
install -m 644 "$written" "$root$docdir/installed.txt"
echo "installed in $root$bindir, $root$mandir, $root$datadir and $root$docdir: $(wc -l <"$written") files"
