# SPDX-License-Identifier: MIT
"""Too little memory, too few descriptors, processes, threads and ports (L10, L11)."""
import contextlib
import os
import resource
import socket
import subprocess
import time

from places import Group, Missing, in_network_of, own_network
from stage import Broken, await_that, failures, ok_count, settle

NOBODY = 65534
MIB = 1 << 20


def cost(run, server, address, seconds):
    """-> the counts of a load, and the server's processor time for each answer."""
    cpu = server.cpu()
    counts = run.start('client', 'load', f'http://{address}/', seconds).json()
    return counts, (server.cpu() - cpu) / max(1, ok_count(counts))


def serves(run, address, when, path='', seconds=1):
    counts = run.start('client', 'load', f'http://{address}/{path}', seconds).json()
    run.exactly(f'failed {when}', failures(counts), 0)
    run.tell(f'served {when}', ok_count(counts), '', '> 0', ok_count(counts) > 0)


# ---- memory ----


def memory(run):
    """L10: readers that never read: what each costs, and that others are served all the same; then
    ten times as many as there is room for, in a memory group of 64 MiB; and then at a limit of
    addresses, where memory is refused instead of taken back."""
    count = 200 if run.args.scale == 'quick' else 1000
    stuck_beside_others(run, count)
    in_a_memory_group(run, count)
    at_a_limit_of_addresses(run, 4 * count)


def stuck_beside_others(run, count):
    server = run.start('server', 'http', '127.0.0.1:0')
    address = server.line()
    _, alone = cost(run, server, address, 2)
    before = server.rss()
    stuck = run.start('client', 'stuck', address, count)
    run.exactly('stuck readers', stuck.json()['open'], count)
    # 2.5 GB are on their way from the server into the kernel's buffers meanwhile
    counts, _ = cost(run, server, address, 2)
    run.exactly('failed while they get stuck', failures(counts), 0)
    run.tell('served while they get stuck', ok_count(counts), '', '> 0', ok_count(counts) > 0)
    run.tell('longest wait while they get stuck', counts['slowest'], 's')
    run.at_most('processor while all are stuck', 100 * settle(server), 5, '%')
    counts, beside = cost(run, server, address, 2)
    run.exactly('failed beside them', failures(counts), 0)
    run.tell('served beside them', ok_count(counts), '', '> 0', ok_count(counts) > 0)
    run.at_most('processor for an answer, against alone', beside / alone, 2, 'x')
    # each has asked for 2.5 MiB; a writer waits with 64 KiB at most, and a page of its stack or two
    run.at_most('memory per stuck reader', (server.rss() - before) / count, 80 * 1024, 'B')
    stuck.end()
    await_that(lambda: server.fds() < 20, 15, 'the server has closed what was stuck')
    server.end()


def in_a_memory_group(run, room):
    """The server admits as many as it has room for; ten times as many come, and read nothing."""
    try:
        group = Group(run, 'memory', 64 * MIB)
    except Missing as e:
        run.cannot('memory group of 64 MiB, resident <= 56 MiB', f'{e}; a limit of addresses below '
                   'stands in')
        return
    run.tell(f'64 MiB by {group.way}', 64, 'MiB')
    try:
        ten_times_as_many(run, group, room)
    finally:
        run.exactly('group: killed for memory', group.events('oom_kill'), 0)


def ten_times_as_many(run, group, room):
    server = run.start('server', 'http', '127.0.0.1:0', '-', room, prepare=group.enter)
    address = server.line()
    calm = run.start('client', 'stuck', address, room)
    run.exactly('group: stuck at the usual load', calm.json()['open'], room)
    settle(server)
    run.tell('group: resident at the usual load', server.rss() / MIB, 'MiB')
    calm.end()
    await_that(lambda: server.fds() < 20, 15, 'the server has closed what was stuck')
    crowd = run.start('client', 'stuck', address, 10 * room)
    open_now = crowd.json(200)['open']
    settle(server)
    run.tell('group: connected of ten times as many', open_now, '', f'> {room}', open_now > room)
    run.at_most('group: served of them at once', server.fds() - 10, room + 10, '')
    run.at_most('group: most that was resident', server.peak() / MIB, 56, 'MiB')
    with contextlib.suppress(FileNotFoundError):  # version 2 before Linux 5.19
        run.tell('group: most that was charged to it', int(group.read('memory.peak')) / MIB, 'MiB')
    crowd.end()
    await_that(lambda: server.fds() < 20, 60, 'the server has closed what was stuck')
    serves(run, address, 'after ten times the load')
    run.at_most('group: most that was resident, in the end', server.peak() / MIB, 56, 'MiB')
    server.end()


def at_a_limit_of_addresses(run, count):
    """Many times as many as there is room for: some are turned away, the others are served, and
    when they have gone it is as if they had never been there."""
    server = run.start('server', 'http', '127.0.0.1:0')
    address = server.line()
    serves(run, address, 'before the limit of addresses')
    limit = server.status('VmSize') * 1024 + 16 * MIB
    resource.prlimit(server.pid, resource.RLIMIT_AS, (limit, limit))
    stuck = run.start('client', 'stuck', address, count)
    stuck.json()
    settle(server)
    run.tell('met its limit of addresses', count - server.fds(), 'turned away', '> 0',
             count > server.fds())
    run.at_most('resident at its limit', server.rss() / MIB, 56, 'MiB')
    stuck.end()
    await_that(lambda: server.fds() < 20, 15, 'the server has closed what was stuck')
    serves(run, address, 'after it')
    run.tell('lives', int(server.process.poll() is None), '', '= 1', server.process.poll() is None)


# ---- descriptors ----


def descriptors(run):
    """L11: a server with 64 descriptors meets 1,000 clients: no spinning, a line a second in the
    log, and nobody is lost."""
    count = 300 if run.args.scale == 'quick' else 1000
    server, address = run.echo(limits=[(resource.RLIMIT_NOFILE, 64)], log='warn')
    host, _, port = address.partition(':')
    clients = [socket.create_connection((host, int(port)), 5) for _ in range(count)]
    time.sleep(0.3)
    cpu, said = server.cpu(), len(server.words())
    time.sleep(3)
    run.at_most('processor with none to be had', 100 * (server.cpu() - cpu) / 3, 5, '%')
    run.tell('descriptors in use', server.fds(), '')
    lines = [w for w in server.words() if 'cannot accept' in w]
    run.tell('lines in the log', len(lines), '', '> 0', len(lines) > 0)
    run.at_most('lines a second', (len(server.words()) - said) / 3, 1.4, '1/s')
    answered, slowest = 0, 0
    for c in clients:  # each that leaves makes room for one that waits
        c.settimeout(10)
        begin = time.monotonic()
        c.sendall(b'ping')
        with contextlib.suppress(OSError):
            answered += c.recv(4) == b'ping'
        slowest = max(slowest, time.monotonic() - begin)
        c.close()
    run.exactly('answered in the end', answered, count)
    run.at_most('longest wait for room', slowest, 0.2, 's')


# ---- processes and threads ----


def get(address, path, seconds=5):
    """-> the status of one plain request, or 0."""
    host, _, port = address.partition(':')
    with contextlib.suppress(OSError, ValueError, IndexError):
        with socket.create_connection((host, int(port)), seconds) as s:
            s.sendall(f'GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
            return int(s.recv(100).split()[1])
    return 0


def until_served(address, paths, seconds=5):
    begin = time.monotonic()
    while any(get(address, p) != 200 for p in paths):
        if time.monotonic() - begin > seconds:
            break
    return time.monotonic() - begin


def processes(run):
    """L11: a process group of 16 that is full: what needs a thread or a child is refused and
    logged, the rest goes on, and all is well within a second when there is room again."""
    try:
        group = Group(run, 'pids', 16)
    except Missing as e:
        run.cannot('process group of 16', f"{e}; the user's limit of threads (`threads`) stands in")
        return
    run.tell(f'16 by {group.way}', 16, '')
    server = run.start('server', 'http', '127.0.0.1:0', prepare=group.enter, log='warn')
    address = server.line()
    fillers = [subprocess.Popen(['sleep', '60']) for _ in range(15)]
    run.cleanups.insert(0, lambda: [f.kill() or f.wait() for f in fillers])
    for f in fillers:
        group.add(f.pid)
    run.exactly('in the group', int(group.read('pids.current')), 16)
    refused = {p: [get(address, p) for _ in range(20)] for p in ('pooled', 'spawned')}
    for path, answers in refused.items():
        run.exactly(f'full: {path}: answered by 500', answers.count(500), 20)
    serves(run, address, 'that need none')
    said = [w for w in server.words() if 'temporarily unavailable' in w]
    run.tell('lines in the log that say why', len(said), '', '> 0', len(said) > 0)
    for f in fillers:
        f.kill()
        f.wait()
    run.at_most('until both are served again', until_served(address, refused), 1, 's')
    serves(run, address, 'that need a thread again', 'pooled')
    # each needs a child for some milliseconds: 32 at once are more than the group takes
    counts = run.start('client', 'load', f'http://{address}/spawned', 2).json()
    run.tell('children at the limit: served, refused',
             f"{ok_count(counts)}, {counts['ended']['wrong']}", '', '> 0', ok_count(counts) > 0)
    run.exactly('children at the limit: neither', failures(counts) - counts['ended']['wrong'], 0)
    refusals = group.events('max')
    run.tell('forks that the group refused', refusals, '', '> 0', refusals > 0)
    run.at_most('until both are served after that', until_served(address, refused), 1, 's')
    run.tell('lives', int(server.process.poll() is None), '', '= 1', server.process.poll() is None)
    server.end()


def as_somebody():
    """For root no threads are counted."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def limit_threads(program, count):
    """By one of the same user: another's limits are not even root's to change in a container."""
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(OSError):
            as_somebody()
            resource.prlimit(program.pid, resource.RLIMIT_NPROC, (count, hard))
            code = 0
        os._exit(code)
    if os.waitpid(pid, 0)[1] != 0:
        raise Broken('the limit of threads cannot be set')


def threads(run):
    """L11: while no thread can be made, what needs one fails and says so, the rest goes on, and
    all is well as soon as there are some again."""
    server = run.start('server', 'http', '127.0.0.1:0', prepare=as_somebody, log='warn')
    address = server.line()
    limit_threads(server, 1)
    serves(run, address, 'that need no thread')
    counts = run.start('client', 'load', f'http://{address}/pooled', 1).json()
    run.exactly('served that need one', ok_count(counts), 0)
    run.tell('refused that need one', counts['ended']['wrong'], '', '> 0',
             counts['ended']['wrong'] > 0)
    run.tell('lines in the log', len(server.words()), '', '> 0', len(server.words()) > 0)
    limit_threads(server, resource.getrlimit(resource.RLIMIT_NPROC)[0])
    run.at_most('until one is served again', until_served(address, ['pooled']), 1, 's')
    serves(run, address, 'when there are threads again', 'pooled')


# ---- ports ----


def ports(run):
    """L11: a hundred ports for each of a client's sixteen addresses: who gets none is told so,
    those that have one go on, and the ports of those that leave are there for the next."""
    try:
        network = own_network(100)
    except Missing as e:
        run.cannot('a range of 100 ports', f'a network of its own {e}')
        return
    server = run.start('server', 'echo', '127.0.0.1:9', prepare=network)
    address = server.line()
    client = run.start('hold', address, 2000, prepare=in_network_of(server))
    first = client.json()
    run.exactly('connected', first['open'], 1600)
    run.exactly('answered', first['answered'], 1600)
    run.tell('the others are told: ' + first['refusal'], 2000 - first['open'], '',
             'EADDRNOTAVAIL', first['refusal'] == 'EADDRNOTAVAIL')
    slowest = 0
    for _ in range(3):
        client.tell('drop')
        client.json()
        client.tell('again')
        step = client.json()
        slowest = max(slowest, step['seconds'])
    run.exactly('connected, after three times all left', step['open'], 1600)
    run.exactly('answered, after three times all left', step['answered'], 1600)
    run.at_most('until all ports are in use again', slowest, 1, 's')
