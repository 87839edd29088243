"""What a skill in a container needs, in one file without dependencies: copy it beside your program.

    from loqa_adapter import run

    def handle(call):
        call.put("count", str(int(call.storage.get("count", "0")) + 1))
        return {"speech": "That makes " + call.storage["count"] + "."}

    run(handle)

Protocol: frames of `u32 total | u32 json length | json | payload`, big endian, total counting what follows it; standard input
brings orders, standard output takes answers, one for each order, and nothing else. Licence: Apache-2.0.
"""

import json
import struct
import sys


class Call:
    """One call: what the skill may know goes in, what it wants changed is noted. All of it is checked by the node."""

    def __init__(self, call):
        self.entry = call["entry"]  # handle, due or heard
        self.input = json.loads(call["input"])  # intent and slots; the timer; what was heard
        self.storage = dict(call["storage"])
        self.timers = call["timers"]
        self.time = call["time"]
        self.devices = call.get("devices", [])
        self.config = call.get("config", {})
        self.changes = []

    def put(self, key, value):
        self.storage[key] = value
        self.changes.append({"change": "put", "key": key, "value": value})

    def delete(self, key):
        self.storage.pop(key, None)
        self.changes.append({"change": "delete", "key": key})

    def log(self, message, level="info"):
        self.changes.append({"change": "log", "level": level, "message": message[:512]})

    def want(self, change, **fields):
        """Any other change, e.g. want("timer-set", timer="tea", delay_ms=240000); see sdk/README.md."""
        self.changes.append({"change": change, **fields})


def _read(count):
    data = sys.stdin.buffer.read(count)
    if len(data) < count:
        sys.exit(0)  # the node is gone
    return data


def _say(answer):
    body = json.dumps(answer).encode()
    sys.stdout.buffer.write(struct.pack(">II", len(body) + 4, len(body)) + body)
    sys.stdout.buffer.flush()


def run(handle, due=None, heard=None):
    """Serves for ever. Load what takes long before you call it: there are 15 s until then, and `call_ms` for each call."""
    entries = {"handle": handle, "due": due, "heard": heard}
    _say({"answer": "ready"})
    while True:
        (total,) = struct.unpack(">I", _read(4))
        frame = _read(total)
        (length,) = struct.unpack(">I", frame[:4])
        order = json.loads(frame[4 : 4 + length])
        if order["order"] == "load":
            _say({"answer": "loaded"})
            continue
        try:
            call = Call(order["call"])
            output = entries[call.entry](call)
            _say({"answer": "answered", "output": json.dumps(output or {}), "changes": call.changes})
        except Exception as error:  # the skill's own mistake: it is told, and the program goes on
            _say({"answer": "failed", "fault": "skill-trapped", "message": type(error).__name__[:400]})
