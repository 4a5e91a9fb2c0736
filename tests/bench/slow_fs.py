"""Mounts a folder read-only behind a slow link: a fixed latency for each request and a rate that all requests share.

    slow_fs.py SOURCE MOUNT MB_PER_SECOND LATENCY_MS

Runs in the foreground until it is unmounted (fusermount3 -u MOUNT). The file MOUNT/.traffic holds what has been
served: bytes and requests, and the largest request. Needs pyfuse3 and /dev/fuse.
"""
import errno
import os
import sys

import pyfuse3
import trio

TRAFFIC = b".traffic"
TRAFFIC_INODE = pyfuse3.ROOT_INODE + 1


class SlowFolder(pyfuse3.Operations):
    def __init__(self, source, rate, latency):
        super().__init__()
        self.source, self.rate, self.latency = source, rate, latency
        self.names = sorted(n for n in os.listdir(source) if os.path.isfile(os.path.join(source, n)))
        self.link_is_free = 0.0
        self.bytes = self.requests = self.largest = 0

    def path(self, inode):
        return os.path.join(self.source, self.names[inode - TRAFFIC_INODE - 1])

    def traffic(self):
        return f"{self.bytes} {self.requests} {self.largest}\n".encode()

    async def getattr(self, inode, ctx=None):
        if inode == pyfuse3.ROOT_INODE:
            found = os.stat(self.source)
        elif inode == TRAFFIC_INODE:
            found = None
        else:
            found = os.stat(self.path(inode))
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = inode
        entry.st_mode = found.st_mode if found else 0o100444
        entry.st_size = found.st_size if found else 0
        entry.st_nlink = 1
        entry.st_mtime_ns = found.st_mtime_ns if found else 0
        entry.st_ctime_ns = found.st_ctime_ns if found else 0
        entry.st_atime_ns = entry.st_mtime_ns
        return entry

    async def lookup(self, parent, name, ctx=None):
        if name == TRAFFIC:
            return await self.getattr(TRAFFIC_INODE)
        if os.fsdecode(name) not in self.names:
            raise pyfuse3.FUSEError(errno.ENOENT)
        return await self.getattr(TRAFFIC_INODE + 1 + self.names.index(os.fsdecode(name)))

    async def open(self, inode, flags, ctx):
        if inode == TRAFFIC_INODE:
            return pyfuse3.FileInfo(fh=0, direct_io=True)
        return pyfuse3.FileInfo(fh=os.open(self.path(inode), os.O_RDONLY))

    async def read(self, fh, off, size):
        if fh == 0:
            return self.traffic()[off:off + size]
        data = os.pread(fh, size, off)
        self.bytes += len(data)
        self.requests += 1
        self.largest = max(self.largest, len(data))
        # The link sends one answer after another; the latency of several requests overlaps.
        self.link_is_free = max(self.link_is_free, trio.current_time()) + len(data) / self.rate
        await trio.sleep_until(self.link_is_free + self.latency)
        return data

    async def release(self, fh):
        if fh != 0:
            os.close(fh)


def main():
    source, mount, rate, latency = sys.argv[1:]
    folder = SlowFolder(source, float(rate) * 1e6, float(latency) / 1e3)
    pyfuse3.init(folder, mount, set(pyfuse3.default_options) | {"fsname=slow", "ro"})
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close()


main()
