"""A headless Chromium driven over its DevTools pipe: JSON messages ended by NUL on descriptors 3
and 4 (--remote-debugging-pipe), so that no port is opened. Standard library only."""

import fcntl
import json
import os
import select
import subprocess
import tempfile
import time


class Browser:
    """One browser with one tab. Use as a context manager."""

    def __init__(self, program, seconds=120):
        self._deadline = time.monotonic() + seconds
        self._folder = tempfile.TemporaryDirectory(prefix="cdt-browser-")
        # High numbers, so that dup2 onto 3 and 4 overwrites neither.
        to_child, self._out = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())
        self._in, from_child = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())

        def place_pipes():
            os.dup2(to_child, 3)
            os.dup2(from_child, 4)

        arguments = [program, "--headless", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", "--remote-debugging-pipe",
                     "--user-data-dir=" + self._folder.name]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium refuses a sandbox for root
        self._process = subprocess.Popen(
            arguments + ["about:blank"], preexec_fn=place_pipes, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self._buffer = b""
        self._id = 0
        self._session = None
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._out)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        self._folder.cleanup()

    def _read(self):
        """The next message."""
        while b"\0" not in self._buffer:
            left = self._deadline - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self._in, 1 << 16)
            if not data:
                raise ConnectionError("the browser ended")
            self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        """Sends a command and returns its result; events meanwhile go to self.events."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data):]
        while True:
            answer = self._read()
            if answer.get("id") != self._id:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def wait_for(self, event):
        """Waits until an event of that name has come since self.events was last cleared."""
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self._read())

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")
