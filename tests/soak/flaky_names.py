#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A name server at 127.0.0.1:53 of its network that knows one address, 127.0.0.1, for every name.

Prints a line when it listens. Told "flap" it changes four times a second between answering,
failing, denying the name and saying nothing, until it is told "heal"; ends with its input."""
import os
import select
import socket
import struct
import sys
import time

SERVFAIL, NXDOMAIN = 2, 3
MOODS = ('answer', SERVFAIL, 'silence', NXDOMAIN)


def reply(query, mood):
    end = query.index(b'\0', 12) + 5  # of the question
    kind = struct.unpack('!H', query[end - 4:end - 2])[0]
    code = mood if isinstance(mood, int) else 0
    has_answer = mood == 'answer' and kind == 1
    head = query[:2] + struct.pack('!HHHHH', 0x8180 | code, 1, int(has_answer), 0, 0)
    answer = b'\xc0\x0c' + struct.pack('!HHIH', 1, 1, 0, 4) + bytes([127, 0, 0, 1])
    return head + query[12:end] + (answer if has_answer else b'')


def main():
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(('127.0.0.1', 53))
    print('ready', flush=True)
    is_flapping = False
    while True:
        ready, _, _ = select.select([door, 0], [], [])
        if 0 in ready:
            word = os.read(0, 100)
            if not word:
                return
            is_flapping = b'flap' in word
        if door in ready:
            query, who = door.recvfrom(2000)
            mood = MOODS[int(time.monotonic() * 4) % 4] if is_flapping else 'answer'
            if mood != 'silence':
                door.sendto(reply(query, mood), who)


if __name__ == '__main__':
    sys.exit(main())
