#!/bin/bash
# File systems that cannot lock, flush or exchange names, or that keep a folder in use busy: a warning, and
# the work is done.
source tests/apps/lib.sh
if ! command -v cc >/dev/null; then
  skip 'file systems' 'needs a C compiler'
  finish
fi
# Calls that fail as on such a file system, selected by the words in $LACKS.
cat >"$work/lacks.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int lacks(const char* word, int error) {
  const char* words = getenv("LACKS");
  if (words == NULL || strstr(words, word) == NULL) return 0;
  errno = error;
  return 1;
}
int flock(int fd, int operation) {
  if (lacks("locks", ENOLCK)) return -1;
  return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(fd, operation);
}
int fsync(int fd) {
  if (lacks("flushing", EINVAL)) return -1;
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  if (lacks("exchange", EINVAL)) return -1;
  return ((int (*)(int, const char*, int, const char*, unsigned))dlsym(RTLD_NEXT, "renameat2"))(
      a, from, b, to, flags);
}
static int busy(const char* path, int flags) {
  return (flags & AT_REMOVEDIR) && (strstr(path, "last.") != NULL || strstr(path, "previous") != NULL) &&
         lacks("removal", EBUSY);
}
int rmdir(const char* path) {
  if (busy(path, AT_REMOVEDIR)) return -1;
  return ((int (*)(const char*))dlsym(RTLD_NEXT, "rmdir"))(path);
}
// A folder in use keeps a file in it, so that no other can take its name.
int rename(const char* from, const char* to) {
  const size_t length = strlen(to);
  const int old = length > 8 && (strcmp(to + length - 8, "last.old") == 0 || strcmp(to + length - 8, "previous") == 0);
  if (old && access(to, F_OK) == 0 && lacks("removal", ENOTEMPTY)) return -1;
  return ((int (*)(const char*, const char*))dlsym(RTLD_NEXT, "rename"))(from, to);
}
int remove(const char* path) {
  if (busy(path, AT_REMOVEDIR)) return -1;
  return ((int (*)(const char*))dlsym(RTLD_NEXT, "remove"))(path);
}
int unlinkat(int fd, const char* path, int flags) {
  if (busy(path, flags)) return -1;
  return ((int (*)(int, const char*, int))dlsym(RTLD_NEXT, "unlinkat"))(fd, path, flags);
}
END
expect_ok cc -shared -fPIC -o "$work/lacks.so" "$work/lacks.c" -ldl
# on WORDS COMMAND...: runs it on a file system that lacks these features.
on() { ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$work/lacks.so LACKS=$1 expect_ok "${@:2}"; }
warned() { check "$1: one warning" [ "$(grep -c "^cdt-[a-z]*: warning: .*$2" "$work/stderr")" -eq 1 ]; }

tiny_model
small=(--hidden 16 --heads 2 --pool-heads 2 --feed-forward 32 --fusion 16 --quiet)
expect_ok "$CDT_BIN/cdt-train" --data "$data" --out "$work/straight" --epochs 3 "${small[@]}"
for lack in locks flushing exchange removal 'exchange removal'; do
  out="$work/run-${lack% *}-${lack#* }"
  on "$lack" "$CDT_BIN/cdt-train" --data "$data" --out "$out" --epochs 2 "${small[@]}"
  case $lack in
    locks) warned "$lack" 'lock: cannot be locked (No locks available)' ;;
    flushing) check "$lack: a warning" grep -q 'warning: .*cannot be flushed to disk' "$work/stderr" ;;
    exchange) check 'nothing to warn of' [ ! -s "$work/stderr" ] ;;
    *removal) check "$lack: a warning" grep -q 'warning: .*cannot be removed (Device' "$work/stderr" ;;
  esac
  expect_ok "$CDT_BIN/cdt-train" --resume --out "$out" --epochs 3 --quiet
  expect_same "$work/straight/last/model.safetensors" "$out/last/model.safetensors"
  check "$lack: nothing beside last" [ "$(ls -d "$out"/last* | wc -l)" -eq 1 ]
done
on 'locks flushing' "$CDT_BIN/cdt-predict" --data "$data" --model "$model" --out "$work/prediction" --quiet
warned locks 'cannot be locked'
check 'no temporary is left' [ -z "$(find "$work" -name '.*cdt-*')" ]
finish
