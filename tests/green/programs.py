#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that know nothing of tasks do with libceladon-green.so preloaded what they do without:
the same bytes, the same end. programs.py LIBRARY. Nothing is demanded of a program that is not
installed."""
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading

LIBRARY = os.path.realpath(sys.argv[1])

PYTHON = """
import asyncio, os, select, signal, socket, subprocess, sys, threading, time, queue, tempfile, fcntl

async def both():
    server = await asyncio.start_server(lambda r, w: echo(r, w), '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    answers = await asyncio.gather(*(ask(port, i) for i in range(20)))
    child = await asyncio.create_subprocess_exec('cat', stdin=-1, stdout=-1)
    out, _ = await child.communicate(b'through a child')
    server.close()
    return answers, out, await asyncio.to_thread(sum, range(10))

async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()

async def ask(port, i):
    reader, writer = await asyncio.open_connection('localhost', port)
    writer.write(b'%d\\n' % i)
    line = await reader.readline()
    writer.close()
    return int(line)

print(asyncio.run(both()))
lines = queue.Queue()
lock, ready = threading.RLock(), threading.Condition()
def work(i):
    with lock, lock:
        time.sleep(0.001)
        lines.put(i)
threads = [threading.Thread(target=work, args=(i,)) for i in range(10)]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(lines.get() for _ in threads))
with ready:
    print(ready.wait(0.01))
print(subprocess.run('exit 3', shell=True).returncode, subprocess.run(['sh', '-c', 'kill -9 $$']).returncode)
try: subprocess.run(['/no/such/program'])
except FileNotFoundError as e: print(e)
print(subprocess.run(['cat'], input=b'x' * 300000, capture_output=True).stdout == b'x' * 300000)
pid = os.fork()
if pid == 0:
    time.sleep(0.01); os._exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), os.system('exit 5') >> 8, os.popen('echo popen').read())
signal.signal(signal.SIGALRM, lambda *a: print('alarm'))
signal.setitimer(signal.ITIMER_REAL, 0.02)
signal.pause()
a, b = socket.socketpair()
a.settimeout(0.01)
try: a.recv(1)
except TimeoutError: print('late')
b.send(b'y'); print(select.select([a], [], [], 10)[0] == [a], a.recv(9), socket.gethostbyname('localhost'))
with tempfile.TemporaryFile() as f:
    fcntl.lockf(f, fcntl.LOCK_EX); fcntl.flock(f, fcntl.LOCK_SH)
    f.write(b'z' * 100000); f.flush()
    print(os.sendfile(a.fileno(), f.fileno(), 0, 1000), len(b.recv(2000)))
"""

PERL = r"""
use strict; use Socket; use IO::Select; $| = 1;
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die;
my $pid = fork; if (!$pid) { sysread($b, my $x, 1); syswrite($b, "got $x\n"); exit 6 }
syswrite($a, "q"); IO::Select->new($a)->can_read(10); sysread($a, my $l, 99); print $l;
waitpid $pid, 0; print $? >> 8, "\n"; print `echo back`; print system("exit 2") >> 8, "\n";
$SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select(undef, undef, undef, 30) }; print $@;
print join(".", unpack "C4", scalar gethostbyname "localhost"), "\n";
open my $f, "+<", $0 or die; flock $f, 2; print "locked\n";
"""

BASH = r"""
for i in 1 2 3; do (exit $i) & wait $!; echo $?; done
yes | head -n 3; printf 'b\na\n' | sort | tr a-z A-Z
coproc cat; echo through >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"
read -t 0.01 -r never < <(sleep 1); echo $?
trap 'echo caught' USR1; kill -USR1 $$; exec 9>/tmp/green-lock.$$; flock 9; echo locked; rm -f /tmp/green-lock.$$
timeout 0.05 sleep 5; echo $?; cat <<< here; exec 3<&0 3<&-; exit 7
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        body = b'page ' * 20000
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def commands(folder, port):
    source = os.path.join(folder, 'hello.c')
    with open(source, 'w', encoding='utf-8') as out:
        out.write('#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n')
    script = os.path.join(folder, 'script.pl')
    with open(script, 'w', encoding='utf-8') as out:
        out.write(PERL)
    git = 'git init -q r && cd r && git -c user.name=a -c user.email=a@b commit -q --allow-empty ' \
          '-m first --date 2020-01-01T00:00:00 && git log --format=%s && git fsck && ' \
          'git clone -q . ../c && git -C ../c log --format=%an && cd .. && rm -rf r c'
    yield ['ls', '-la', '/usr']
    yield ['bash', '-c', BASH]
    yield [sys.executable, '-c', PYTHON]
    yield ['perl', script]
    yield ['curl', '-s', '--noproxy', '*', f'http://localhost:{port}/[1-5]']
    yield ['curl', '-s', '--noproxy', '*', '-Z', '--no-progress-meter',
           f'http://127.0.0.1:{port}/[1-3]', '-o', '/dev/null']
    yield ['curl', '-s', '--noproxy', '*', 'http://127.0.0.1:1/']
    yield ['git', 'version']
    yield ['bash', '-c', git]
    yield ['bash', '-c', f'gcc -pipe -O1 -o {folder}/hello {source} && {folder}/hello && rm {folder}/hello']
    yield ['make', '-s', '-j4', '-f', '/dev/stdin']
    yield ['tar', 'cz', '--mtime=2020-01-01', '--owner=0', '-C', folder, 'hello.c']
    yield ['dd', 'if=/dev/zero', 'bs=64k', 'count=4', 'status=none']
    yield ['openssl', 'dgst', '-sha256', source]
    yield ['gdb', '-batch', '-ex', 'print 6*7']


MAKEFILE = b'all: a b c\n\t@echo $^\na b c:\n\t@sleep 0.01\n'


def run(command, folder, preload):
    env = {k: v for k, v in os.environ.items() if k != 'LD_PRELOAD'}
    if preload:
        env['LD_PRELOAD'] = LIBRARY
    done = subprocess.run(command, input=MAKEFILE, capture_output=True, cwd=folder, env=env, timeout=100,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def main():
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        wanted = list(commands(folder, server.server_port))
        print(f'1..{len(wanted)}')
        for number, command in enumerate(wanted, 1):
            name = ' '.join(command)[:40].replace('\n', ' ')
            if shutil.which(command[0]) is None:
                print(f'ok {number} - {name} # SKIP there is no {command[0]}')
                continue
            without, beneath = run(command, folder, False), run(command, folder, True)
            same = without == beneath
            failed += not same
            print(f"{'ok' if same else 'not ok'} {number} - {name}")
            if not same:
                print(f'without: {without}\nbeneath: {beneath}', file=sys.stderr)
    server.shutdown()
    return failed > 0


sys.exit(main())
