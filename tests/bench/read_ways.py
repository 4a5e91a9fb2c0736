"""Times ways to read whole windows of a file, each with nothing in the page cache: read_ways.py FILE

A window has 896 x 3072 float32. Needs root, to drop the page cache.
"""
import concurrent.futures
import mmap
import os
import sys
import time

WINDOW = 896 * 3072 * 4
WINDOWS = (3, 11, 7, 15, 1, 9, 5, 13)  # not in order, as in a shuffled epoch


def fetch(fd, offset, piece):
    """Asks for a window in pieces, as InputFile::fetch() does."""
    for at in range(offset, offset + WINDOW, piece):
        os.posix_fadvise(fd, at, min(piece, offset + WINDOW - at), os.POSIX_FADV_WILLNEED)


def read(fd, window, piece=None):
    if piece:
        fetch(fd, window * WINDOW, piece)
    if len(os.pread(fd, WINDOW, window * WINDOW)) != WINDOW:
        sys.exit("the file is too short")


def by_pread(fd, readers=1, advice=None, piece=None):
    if advice is not None:
        os.posix_fadvise(fd, 0, 0, advice)
    with concurrent.futures.ThreadPoolExecutor(readers) as pool:
        list(pool.map(lambda window: read(fd, window, piece), WINDOWS))


def by_mmap(fd, advice=None):
    with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as mapped:
        if advice is not None:
            mapped.madvise(advice)
        for window in WINDOWS:
            mapped[window * WINDOW:(window + 1) * WINDOW]


WAYS = {
    "mmap": by_mmap,
    "mmap, MADV_SEQUENTIAL": lambda fd: by_mmap(fd, mmap.MADV_SEQUENTIAL),
    "pread of a window": by_pread,
    "pread, POSIX_FADV_SEQUENTIAL": lambda fd: by_pread(fd, advice=os.POSIX_FADV_SEQUENTIAL),
    "pread, POSIX_FADV_RANDOM": lambda fd: by_pread(fd, advice=os.POSIX_FADV_RANDOM),
    "WILLNEED of the window, pread": lambda fd: by_pread(fd, piece=WINDOW),
    "WILLNEED in pieces of 1 MiB, pread": lambda fd: by_pread(fd, piece=1 << 20),
    "WILLNEED in pieces of 128 KiB, pread": lambda fd: by_pread(fd, piece=1 << 17),
    "pread, 8 threads": lambda fd: by_pread(fd, readers=8),
    "WILLNEED in pieces of 128 KiB, pread, 8 threads": lambda fd: by_pread(fd, readers=8, piece=1 << 17),
}
print(f"{'way':48s}    MB/s")
for name, way in WAYS.items():
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")
    descriptor = os.open(sys.argv[1], os.O_RDONLY)
    start = time.monotonic()
    way(descriptor)
    seconds = time.monotonic() - start
    os.close(descriptor)
    print(f"{name:48s} {len(WINDOWS) * WINDOW / 1e6 / seconds:7.1f}", flush=True)
