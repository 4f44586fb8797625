# SPDX-License-Identifier: MIT
"""Very many connections: held, reset and back, one after the other (L1, L2, L4)."""
import resource
import time

from stage import await_that, failures, ok_count

# of each scale: quick, the usual minutes, and what the table asks for
PROCESSES = {'quick': 2, 'usual': 5, 'full': 5}
HOLD = {'quick': (2, 2), 'usual': (3, 10), 'full': (30, 60)}  # pings, seconds between
CHURN = {'quick': 5000, 'usual': 200000, 'full': 10000000}


def crowd(run):
    """How many connections one process may hold: what its descriptors allow, less its own."""
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100
    return min(room, 1000 if run.args.scale == 'quick' else 19500)


def memory_allows(each, processes):
    """Both ends of a connection are on this machine: some 20 KiB, half of it the kernel's."""
    with open('/proc/meminfo') as f:
        free = next(int(line.split()[1]) for line in f if line.startswith('MemAvailable'))
    return min(processes, max(1, free // 4 // (20 * each)))


def idle(run):
    """L1: as many kept connections as there are descriptors, in five processes; each answers, again
    and again; and what each costs."""
    each = crowd(run)
    wanted = PROCESSES[run.args.scale]
    processes = memory_allows(each, wanted)
    total = each * processes
    if total < 97500:
        run.cannot(f'97,500 connections ({total:,} held)',
                   f'scale {run.args.scale}, descriptors or memory of this machine')
    servers = [run.echo() for _ in range(processes)]
    before = [(s.rss(), s.fds()) for s, _ in servers]
    addresses = ','.join(address for _, address in servers)
    clients = [run.start('hold', addresses, each, 2 + i) for i in range(processes)]
    steps = [c.json() for c in clients]
    held = sum(s.fds() - fds for (s, _), (_, fds) in zip(servers, before))
    run.exactly(f'connections held, in {processes} servers', held, total)
    run.exactly('first pings answered', sum(s['answered'] for s in steps), total)
    # a page of stack, and the same page of each buffer and record that lie close together
    grown = sum(s.rss() - rss for (s, _), (rss, _) in zip(servers, before))
    run.at_most('user memory per connection', grown / total, 8192, 'B')
    pings, gap = HOLD[run.args.scale]
    if run.args.scale != 'full':
        run.cannot(f'30 minutes of them ({pings * gap} s held)', f'scale {run.args.scale}')
    answered, spent = 0, 0
    for _ in range(pings):
        cpu = sum(s.cpu() for s, _ in servers)
        time.sleep(gap)
        spent = max(spent, (sum(s.cpu() for s, _ in servers) - cpu) / gap / processes)
        for c in clients:
            c.tell('ping')
        answered += sum(c.json()['answered'] for c in clients)
    run.tell('pings, seconds between them', f'{pings}, {gap}', '')
    run.exactly('further pings answered', answered, pings * total)
    run.at_most('processor while all are idle, each server', 100 * spent, 5, '%')
    for c in clients:
        c.end()
    await_that(lambda: all(s.fds() <= fds for (s, _), (_, fds) in zip(servers, before)), 60,
               'descriptors are closed in the end')
    run.exactly('descriptors left', sum(s.fds() - fds for (s, _), (_, fds) in zip(servers, before)),
                0)


# what there must be as many of as before
LEAKS = ('timers_armed', 'tasks', 'operations_in_flight', 'descriptors', 'jobs')


def storm(run):
    """L2: all connections are reset at once, and come back, each at a random moment within five
    seconds, and later when it is refused; three times."""
    count = crowd(run)
    server, address = run.echo()
    fds, calm = server.fds(), server.metrics()
    client = run.start('hold', address, count)
    client.json()
    full, slowest, spent, spin, back, refusals = server.rss(), 0, 0, 0, 0, 0
    rounds = 1 if run.args.scale == 'quick' else 3
    for _ in range(rounds):
        client.tell('drop')
        client.json()
        await_that(lambda: server.fds() <= fds, 30, 'descriptors of reset connections are closed')
        cpu = server.cpu()
        time.sleep(0.5)
        spin = max(spin, server.cpu() - cpu)
        cpu = server.cpu()
        client.tell('jitter 5000')
        step = client.json()
        spent = max(spent, server.cpu() - cpu)
        slowest = max(slowest, step['seconds'])
        back += step['answered']
        refusals = step['refusals']
    run.exactly(f'back, each answered, in {rounds} rounds', back, rounds * count)
    run.tell('refusals on the way', refusals, '')
    run.at_most('processor between', 100 * spin / 0.5, 10, '%')
    run.at_most('slowest return of all', slowest, 30, 's')
    # what it took of the processor does not depend on who else is at work here
    run.at_most('processor for one that returns', 1e6 * spent / count, 250, 'us')
    run.at_most('memory against before', server.rss() / full, 1.05, 'x')
    client.end()
    await_that(lambda: server.fds() <= fds, 30, 'descriptors are closed in the end')
    run.exactly('descriptors left', server.fds() - fds, 0)
    after = server.metrics()
    for name in LEAKS:
        run.exactly(f'{name}: more than before', int(after[name] - calm[name]), 0)


def churn(run):
    """L4: connections one after the other; memory stands still."""
    total = CHURN[run.args.scale]
    if total < 10000000:
        run.cannot(f'10,000,000 connections ({total:,} made)', f'scale {run.args.scale}')
    server, address = run.echo()
    fds = server.fds()
    warm = run.start('client', 'churn', address, total // 5)
    warm.json(7200)
    steady, calm = server.rss(), server.metrics()
    counts = run.start('client', 'churn', address, total).json(7200)
    run.exactly('connections that failed', failures(counts), 0)
    run.exactly('connections served', ok_count(counts), counts['begun'])
    run.tell('connections a second', total / counts['seconds'], '1/s')
    run.at_most('peak memory against steady', server.peak() / steady, 1.1, 'x')
    await_that(lambda: server.fds() <= fds, 10, 'descriptors are closed')
    run.exactly('descriptors left', server.fds() - fds, 0)
    after = server.metrics()
    for name in LEAKS:
        run.exactly(f'{name}: more than before', int(after[name] - calm[name]), 0)
