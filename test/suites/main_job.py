"""The main job: real programs on a busybox and a Debian root."""

import os
import re
import subprocess

from harness import expect

# Programs of Debian's size on a busy two-core machine.
SECONDS = 180


def debian(env, script, **settings):
    return env.run("debian", ["/bin/bash", "-c", script], seconds=SECONDS, **settings)


def chroot(env, kind, script):
    """The same script on the host kernel, in the same tree."""
    done = subprocess.run(["chroot", env.shared_root(kind), "/bin/sh", "-c", script],
                          stdout=subprocess.PIPE, check=True,
                          env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "LC_ALL": "C", "HOME": "/root"})
    return done.stdout.decode()


def test_busybox_shell_and_pipes(env):
    script = ("echo a b c | tr ' ' '\\n' | sort -r | head -2; seq 1 1000 | awk '{s+=$1} END "
              "{print s}'; (echo sub; exit 3); echo $?; x=$(echo subst | wc -c); echo $x; "
              "for i in 1 2 3; do echo $i; done | grep -v 2")
    expect.output(env.run("busybox", ["/bin/sh", "-c", script]), "c\nb\n500500\nsub\n3\n6\n1\n3\n")


def test_busybox_background_jobs(env):
    script = "for i in 1 2 3 4 5; do (sleep 0.1; echo $i > /data/job$i) & done; wait; " \
             "cat /data/job*; rm /data/job*"
    expect.output(env.run("busybox", ["/bin/sh", "-c", script]), "1\n2\n3\n4\n5\n")


def test_busybox_here_documents_and_files(env):
    script = ("cd /data; cat > f << END\nline one\nline two\nEND\n"
              "cp f g; cmp f g && echo same; sed s/one/ONE/ f > h; diff f h; wc -l < h; "
              "find . -name '[fgh]' | sort; rm f g h")
    done = env.run("busybox", ["/bin/sh", "-c", script])
    text = done.out.decode()
    for part in ("same\n", "line ONE", "./f\n./g\n./h\n"):
        expect.contains(text, part, "output")


def test_busybox_tar_and_gzip(env):
    script = ("cd /data; mkdir -p t/a/b; echo x > t/a/b/f; ln -s f t/a/b/l; tar czf t.tgz t; "
              "mkdir out; tar xzf t.tgz -C out; cat out/t/a/b/l; rm -r t out t.tgz")
    expect.output(env.run("busybox", ["/bin/sh", "-c", script]), "x\n")


def test_bash_pipelines(env):
    script = ("set -o pipefail; printf '%s\\n' {1..100} | grep 7 | sort -n | paste -sd, ; "
              "false | true; echo ${PIPESTATUS[0]}; diff <(echo a) <(echo a) && echo equal; "
              "read -r x <<< here; echo $x; a=(1 2 3); echo ${#a[@]}; "
              "coproc cat; echo hi >&${COPROC[1]}; read -r y <&${COPROC[0]}; echo $y; "
              "trap 'echo trapped' USR1; kill -USR1 $$; echo done")
    done = debian(env, script)
    expect.output(done, "7,17,27,37,47,57,67,70,71,72,73,74,75,76,77,78,79,87,97\n1\nequal\nhere\n"
                  "3\nhi\ntrapped\ndone\n")


def test_ls_recursive_as_on_host(env):
    expected = chroot(env, "debian", "ls -lR /usr | wc -l").strip()
    expect.output(debian(env, "ls -lR /usr | wc -l"), expected + "\n")


def test_ls_recursive_same_text_as_on_host(env):
    expected = chroot(env, "debian", "ls -lnR /usr | sha256sum")
    expect.output(debian(env, "ls -lnR /usr | sha256sum"), expected)


def test_find_whole_root(env):
    expected = chroot(env, "debian", "find / -xdev | grep -vE '^/(dev|proc|sys|tmp)/' | wc -l")
    done = debian(env, "find / -xdev | grep -vE '^/(dev|proc|sys|tmp)/' | wc -l")
    expect.output(done, expected)


def test_tar_of_usr_compares(env):
    done = debian(env, "tar cf /data/usr.tar /usr 2>/dev/null && tar df /data/usr.tar -C / && "
                       "tar tf /data/usr.tar | wc -l; rm /data/usr.tar")
    count = chroot(env, "debian", "find /usr | wc -l").strip()
    expect.output(done, count + "\n")


def test_checksums_of_binaries_as_on_host(env):
    script = "cat /usr/bin/* /usr/lib/x86_64-linux-gnu/*.so* | sha256sum"
    expect.output(debian(env, script), chroot(env, "debian", script))


def test_python_threads_and_subprocess(env):
    program = """
import subprocess, sys, threading, queue, os, concurrent.futures
q = queue.Queue()
threads = [threading.Thread(target=lambda i=i: q.put(i * i)) for i in range(20)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sum(q.get() for _ in threads))
print(subprocess.run(["/bin/echo", "sub"], capture_output=True, text=True).stdout.strip())
p = subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(p.communicate("b\\na\\n")[0].split())
print(subprocess.run("exit 7", shell=True).returncode)
try:
    subprocess.run(["sleep", "10"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("timeout")
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda n: int(subprocess.check_output(["echo", str(n)])), range(20))))
print(os.getpid(), os.cpu_count() > 0)
"""
    expect.output(env.run("debian", ["python3", "-c", program], seconds=SECONDS),
                  "2470\nsub\n['a', 'b']\n7\ntimeout\n190\n1 True\n")


def test_python_multiprocessing(env):
    program = """
import multiprocessing as m
def square(x): return x * x
if __name__ == "__main__":
    with m.Pool(4) as pool:
        print(sum(pool.map(square, range(100))))
    q = m.Queue()
    p = m.Process(target=q.put, args=("from the child",))
    p.start(); print(q.get()); p.join(); print(p.exitcode)
"""
    expect.output(env.run("debian", ["python3", "-c", program], seconds=SECONDS),
                  "328350\nfrom the child\n0\n")


def test_python_asyncio(env):
    program = """
import asyncio
async def main():
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    out, _ = await p.communicate(b"async text")
    print(out.decode(), p.returncode)
    print(sum(await asyncio.gather(*(asyncio.sleep(0.01, n) for n in range(50)))))
    server = await asyncio.start_unix_server(echo, "/tmp/sock")
    r, w = await asyncio.open_unix_connection("/tmp/sock")
    w.write(b"ping\\n"); print((await r.readline()).decode().strip())
    w.close(); server.close()
async def echo(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
asyncio.run(main())
"""
    expect.output(env.run("debian", ["python3", "-c", program], seconds=SECONDS),
                  "async text 0\n1225\nPING\n")


def test_python_files_and_sqlite(env):
    program = """
import os, shutil, sqlite3, tempfile, mmap, json, hashlib
d = tempfile.mkdtemp()
db = sqlite3.connect(d + "/db"); db.execute("create table t (x)")
db.executemany("insert into t values (?)", [(i,) for i in range(1000)]); db.commit()
print(db.execute("select sum(x) from t").fetchone()[0]); db.close()
with open(d + "/m", "wb+") as f:
    f.write(b"0" * 8192); f.flush()
    with mmap.mmap(f.fileno(), 0) as m: m[4096:4100] = b"mmap"
    f.seek(4096); print(f.read(4))
shutil.copytree("/usr/lib/python3/", d + "/copy", symlinks=True)
print(len(list(os.walk(d + "/copy"))) == len(list(os.walk("/usr/lib/python3/"))))
shutil.rmtree(d); print(os.path.exists(d))
"""
    for place in ("/tmp", "/data"):
        done = env.run("debian", ["python3", "-c", program], seconds=SECONDS,
                       env=[f"TMPDIR={place}"])
        expect.output(done, "499500\nb'mmap'\nTrue\nFalse\n", f"program in {place}")


def test_perl(env):
    program = ('my %h = map { $_ => $_*2 } 1..10; print join(",", map { $h{$_} } sort { $a <=> $b }'
               ' keys %h), "\\n"; open(my $p, "-|", "echo piped") or die; print <$p>; close $p; '
               'my $pid = fork; if (!$pid) { exit 5 } waitpid($pid, 0); print $? >> 8, "\\n"; '
               '$SIG{ALRM} = sub { print "alarm\\n" }; alarm 1; select(undef, undef, undef, 3);')
    expect.output(env.run("debian", ["perl", "-e", program], seconds=SECONDS),
                  "2,4,6,8,10,12,14,16,18,20\npiped\n5\nalarm\n")


def test_gcc_compiles_and_runs(env):
    script = ("cd /data && mkdir gcc && cd gcc && cat > hello.c << 'END'\n"
              "#include <stdio.h>\n#include <pthread.h>\n"
              "static void *run(void *x) { puts(\"from a thread\"); return x; }\n"
              "int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0);\n"
              "  puts(\"hello\"); return 3; }\nEND\n"
              "gcc -O2 -Wall hello.c -o hello -pthread && ./hello; echo $?; "
              "gcc -static hello.c -o static -pthread && ./static; "
              "gcc -no-pie hello.c -o nopie -pthread && ./nopie; cd .. ; rm -r gcc")
    expect.output(debian(env, script), "from a thread\nhello\n3\n" + "from a thread\nhello\n" * 2)


def test_git_init_commit_log(env):
    script = ("cd /data && rm -rf repo && mkdir repo && cd repo && git init -q -b main && "
              "git config user.email a@b.c && git config user.name N && "
              "for i in 1 2 3; do echo $i > file$i && git add . && git commit -qm \"number $i\" || "
              "exit 1; done && git log --format=%s && git checkout -q -b side HEAD~1 && ls && "
              "git merge -q main && ls && git gc -q && git fsck && git status --short && "
              "git clone -q . ../clone && ls ../clone; cd ..; rm -rf repo clone")
    expect.output(debian(env, script), "number 3\nnumber 2\nnumber 1\nfile1\nfile2\n"
                  "file1\nfile2\nfile3\nfile1\nfile2\nfile3\n")


def test_coreutils_on_files(env):
    script = ("cd /data && mkdir cu && cd cu && seq 1 100000 > n && sort -R n | sort -n | cmp - n "
              "&& echo sorted; split -l 30000 n part. && cat part.* | cmp - n && echo joined; "
              "dd if=n of=copy bs=4k status=none && sha256sum < copy | cmp - <(sha256sum < n) && "
              "echo copied; truncate -s 1M sparse && du -k sparse | cut -f1; "
              "ln n hard && stat -c %h n; cp -a /etc/passwd . && touch -d 2001-02-03 passwd && "
              "stat -c %y passwd | cut -c1-10; mkfifo p && (echo fifo > p &) && cat p; "
              "timeout 0.2 sleep 5; echo $?; tail -n 1 n; md5sum n | md5sum -c; cd ..; rm -r cu")
    expect.output(debian(env, script), "sorted\njoined\ncopied\n0\n2\n2001-02-03\nfifo\n124\n"
                  "100000\nn: OK\n")


def test_ps_shows_the_container(env):
    done = debian(env, "sleep 5 & ps -eo pid,comm --no-headers")
    text = done.out.decode()
    for name in ("bash", "sleep", "ps"):
        expect.true(re.search(rf"\d+ {name}\b", text), f"{name} in {text!r}")
    expect.true(len(text.splitlines()) == 3, f"three processes in {text!r}")


def test_dpkg_and_apt_read_their_databases(env):
    expected = chroot(env, "debian", "dpkg -l | wc -l")
    expect.output(debian(env, "dpkg -l | wc -l"), expected)
    expect.output(debian(env, "dpkg -V coreutils && echo verified"), "verified\n")


def test_many_short_processes(env):
    expect.output(debian(env, "for i in {1..300}; do /bin/true || exit 1; done; echo done"),
                  "done\n")


def test_deep_process_tree_and_large_pipe(env):
    script = "yes | head -c 20000000 | cat | cat | cat | wc -c"
    expect.output(debian(env, script), "20000000\n")


def test_root_on_overlayfs(env):
    """The tree that Docker gives: lower and upper directory, copied up on write."""
    base = env.directory()
    for name in ("upper", "work", "merged"):
        os.mkdir(os.path.join(base, name))
    merged = os.path.join(base, "merged")
    lower = env.cached_root("debian")
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={lower},upperdir={base}/upper,workdir={base}/work", merged],
                   check=True)
    try:
        script = ("echo changed >> /etc/passwd && tail -n 1 /etc/passwd && mv /etc/hosts /etc/h && "
                  "cat /etc/h && rm -r /usr/share/doc && ls /usr/share | grep -c '^doc$'; "
                  "mkdir -p /usr/share/doc/x && ls /usr/share/doc; exec 3< /etc/hostname; "
                  "echo new > /etc/hostname; cat /etc/hostname")
        done = env.runtime.run(env.bundle(merged, ["/bin/bash", "-c", script]), seconds=SECONDS)
        expect.output(done, "changed\n127.0.0.1\tlocalhost\n0\nx\nnew\n")
    finally:
        subprocess.run(["umount", merged], check=True)


def test_overlay_flag_on_debian(env):
    if not env.runtime.is_ours:
        raise expect.Skip("a flag of this project's runtime")
    runtime = env.runtime.with_flags("--overlay")
    script = ("cd /root && git init -q -b main r && cd r && git config user.email a@b.c && "
              "git config user.name N && echo x > f && git add f && git commit -qm one && "
              "git log --format=%s; rm -rf /usr/share/doc; ls /usr/share | grep -c '^doc$'; "
              "echo 'int main(){return 9;}' > a.c && gcc a.c && ./a.out; echo $?")
    done = runtime.run(env.bundle(env.cached_root("debian"), ["/bin/bash", "-c", script]),
                       seconds=SECONDS)
    expect.output(done, "one\n0\n9\n")


def test_strace_decodes_calls(env):
    if not env.runtime.is_ours:
        raise expect.Skip("a flag of this project's runtime")
    log = os.path.join(env.directory(), "debug-%COMMAND%.log")
    runtime = env.runtime.with_flags("--strace", "--debug", "--debug-log", log)
    expect.output(runtime.run(env.bundle(env.shared_root("busybox"), ["/bin/cat", "/etc/hostname"])),
                  "sandbox\n")
    text = ""
    for name in os.listdir(os.path.dirname(log)):
        with open(os.path.join(os.path.dirname(log), name), encoding="utf-8",
                  errors="replace") as file:
            text += file.read()
    expect.contains(text, "/etc/hostname", "strace output")
    expect.contains(text, "execve", "strace output")


def as_on_host(env, kind, command, **settings):
    """What a command prints, compared with the reference runtime."""
    bundle = env.bundle(env.shared_root(kind), command, **settings)
    here = env.runtime.run(bundle, seconds=SECONDS)
    there = env.reference.run(bundle, seconds=SECONDS)
    expect.equal(here.code, there.code, str(here))
    expect.equal(here.out.decode(), there.out.decode(), str(here))
    return here.out.decode()


def test_tools_of_system_v_ipc(env):
    # Times and process ids differ from run to run.
    script = ("ipcmk -M 5000; ipcmk -S 3; ipcmk -Q | sed 's/id.*//'; ipcs | sed 's/0x[0-9a-f]*/KEY/'; "
              "ipcs -l; ipcs -u; ipcs -s -i 0 | grep -v time; "
              "lsipc -o RESOURCE,DESCRIPTION,LIMIT,USED; lsipc -m -o ID,PERMS,OWNER,SIZE,NATTCH; "
              "lsipc -s -o ID,PERMS,NSEMS; lsipc -q -o ID,PERMS,USEDBYTES,MSGS; "
              "ipcrm -m 0; ipcrm -s 0; ipcrm -q 0; ipcrm -q 0; echo $?; ipcs")
    text = as_on_host(env, "debian", ["/bin/sh", "-c", script])
    expect.contains(text, "5000", "output")


def test_perl_and_system_v_ipc(env):
    program = """
use IPC::SysV qw(IPC_PRIVATE IPC_RMID IPC_CREAT IPC_NOWAIT S_IRUSR S_IWUSR ftok SETVAL GETVAL);
use IPC::Msg; use IPC::Semaphore; use IPC::SharedMem;
my $q = IPC::Msg->new(IPC_PRIVATE, S_IRUSR | S_IWUSR);
$q->snd(5, "five"); $q->snd(4, "four");
my $buf; print $q->rcv($buf, 100, 4), " $buf\n"; print $q->stat->qnum, "\n";
$q->remove;
my $s = IPC::Semaphore->new(IPC_PRIVATE, 3, S_IRUSR | S_IWUSR | IPC_CREAT);
$s->setall(1, 2, 3); $s->op(0, -1, 0, 2, 4, 0); print join(",", $s->getall), "\n";
my $pid = fork; if (!$pid) { $s->op(0, -1, 0); print "child went on\n"; exit 0 }
select(undef, undef, undef, 0.1); print $s->getncnt(0), "\n"; $s->op(0, 1, 0); waitpid $pid, 0;
$s->remove;
my $m = IPC::SharedMem->new(IPC_PRIVATE, 64, S_IRUSR | S_IWUSR);
$m->write("shared text", 0, 11); $pid = fork;
if (!$pid) { $m->attach; $m->write("SHARED", 0, 6); exit 0 } waitpid $pid, 0;
print $m->read(0, 11), " ", $m->stat->nattch, "\n"; $m->remove;
my $id = shmget(IPC_PRIVATE, 100, 0600); shmwrite($id, "old way", 0, 7); shmread($id, $buf, 0, 7);
print "$buf\n"; shmctl($id, IPC_RMID, 0);
"""
    expect.output(env.run("debian", ["perl", "-e", "$| = 1; " + program], seconds=SECONDS),
                  "4 four\n1\n0,2,7\n1\nchild went on\nSHARED text 0\nold way\n")


def database(env, script):
    if not env.everything:
        raise expect.Skip("long: only with --all")
    return env.run("debian-database", ["/bin/bash", "-c", script], seconds=SECONDS)


def test_postgres(env):
    script = r"""set -e; export PATH=$PATH:/usr/lib/postgresql/15/bin; mkdir /tmp/pg; chown postgres /tmp/pg
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }; cd /tmp
as initdb -D /tmp/pg/data > /dev/null
printf "listen_addresses = ''
unix_socket_directories = '/tmp/pg'
" >> /tmp/pg/data/postgresql.conf
as pg_ctl -D /tmp/pg/data -l /tmp/pg/log -w start > /dev/null || { cat /tmp/pg/log; exit 1; }
as psql -h /tmp/pg -Atc 'create table t as select generate_series(1, 1000) n; select sum(n) from t' postgres
lsipc -m -n -o NATTCH > /tmp/segments; wc -l < /tmp/segments
as pgbench -h /tmp/pg -i -q postgres > /dev/null 2>&1
as pgbench -h /tmp/pg -c 4 -j 2 -T 4 postgres 2> /dev/null | grep -c 'number of failed transactions: 0 '
as pg_ctl -D /tmp/pg/data -w stop > /dev/null; ipcs -m | grep -c postgres || true"""
    done = database(env, script)
    text = done.out.decode().split()
    expect.equal(text[:2], ["SELECT", "1000"], str(done))
    expect.equal(text[2], "500500", str(done))
    expect.equal(text[-2:], ["1", "0"], str(done))


def test_python_sysv_ipc(env):
    program = """
import sysv_ipc as ipc, os
m = ipc.SharedMemory(None, ipc.IPC_CREX, size=4096); m.write(b"text"); print(m.read(4), m.number_attached)
if os.fork() == 0:
    m.write(b"TEXT"); os._exit(0)
os.wait(); print(m.read(4), m.number_attached); m.detach(); m.remove()
s = ipc.Semaphore(None, ipc.IPC_CREX, initial_value=1); s.acquire(); print(s.value)
try:
    s.acquire(0.1)
except ipc.BusyError:
    print("busy")
s.release(); s.remove()
q = ipc.MessageQueue(None, ipc.IPC_CREX); q.send(b"one", type=3); q.send(b"two", type=2)
print(q.receive(type=-3), q.current_messages); q.remove()
"""
    if not env.everything:
        raise expect.Skip("long: only with --all")
    expect.output(env.run("debian-database", ["python3", "-c", program], seconds=SECONDS),
                  "b'text' 1\nb'TEXT' 1\n0\nbusy\n(b'two', 2) 1\n")
