#!/usr/bin/python3
# Prints calls as they come: reader.py PATH, then start targets with SEAM_SOCKET=PATH.
import collections, msgpack, os, socketserver, sys
delivered, names = collections.Counter(), {}  # by arena: it may have several connections
class Connection(socketserver.StreamRequestHandler):
    rbufsize = 0
    def handle(self):
        for kind, *m in msgpack.Unpacker(self.rfile, strict_map_key=False, unicode_errors="replace"):
            if kind == 0: arena = m[0]["arena"]
            elif kind == 1: names[arena, m[0]] = m[1]["name"]
            elif kind == 2:
                for pid, tid, thread, chunk, upto, first, events in m[2]:
                    delivered[arena] += sum(e[0] in (0, 1) for e in events)
                    for e in events:
                        if e[0] in (0, 2): print(f"{pid} {names[arena, e[1]]}{e[7]} = {e[5]}\n", end="", flush=True)
            elif kind == 7:
                holds = "holds" if m[1]["produced"] == delivered[arena] + m[1]["dropped"] else "DOES NOT HOLD"
                print(f"bye: produced = delivered + dropped {holds}\n", end="", flush=True)
os.umask(0o177)
socketserver.ThreadingUnixStreamServer(sys.argv[1], Connection).serve_forever()
