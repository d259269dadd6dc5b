"""The built daemon as a child process, for the checks here."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

SHORT_WAITS = {"pairing.wait": "1s", "pairing.messaging_wait": "1s", "pairing.retain": "1s"}


class Daemon:
    """Listens on free loopback ports; its log lines are parsed JSON in `lines`."""

    def __init__(self, **settings):
        listens = {key: "127.0.0.1:0" for key in ("receiver.grpc.listen", "receiver.http.listen", "api.listen")}
        arguments = [f"--set={key}={value}" for key, value in {**listens, **SHORT_WAITS, **settings}.items()]
        command = [os.environ["SPANGRAPH_BIN"], "serve", "--log-format=json", *arguments]
        environment = {"PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        listening = self._wait_for_line("listening")
        self.grpc, self.http, self.api = listening["grpc"], listening["http"], listening["api"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _read(self):
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"message": line})

    def _wait_for_line(self, message, seconds=10):
        def found():
            return next((line for line in list(self.lines) if line["message"] == message), None)
        return until(found, seconds, lambda: f"no log line `{message}`: {self.lines}")

    def get(self, path):
        """Status and body; an error status is an answer too."""
        try:
            with urllib.request.urlopen(f"http://{self.api}{path}", timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def topology(self):
        """The newest minutes, or None while nothing was sealed."""
        status, body = self.get("/api/v1/topology?window=10m")
        return json.loads(body) if status == 200 else None

    def stop(self, seconds=20):
        """SIGTERM; the exit code, once it is there."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code


def until(found, seconds, complaint):
    """Asks `found` until it is something, for so many seconds."""
    end = time.monotonic() + seconds
    while True:
        result = found()
        if result is not None:
            return result
        assert time.monotonic() < end, complaint()
        time.sleep(0.05)
