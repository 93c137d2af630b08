package laws

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// Whole objects patched, all that can be of them: the programs must not notice.
func TestWholeLibraries(t *testing.T) {
	dir := t.TempDir()
	pem := filepath.Join(dir, "pem")
	openssl := harness.Program(t, "openssl")
	if r := harness.Run(t, harness.Cmd{Args: []string{openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", pem + ".crt",
		"-days", "2", "-subj", "/CN=localhost"}}); r.Code != 0 {
		t.Fatal(r)
	}
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("b\na\nc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const python = `
import json, re, decimal, sqlite3, subprocess, threading, hashlib, math
print(json.dumps([i**2 for i in range(50)]), re.sub("a+", "b", "caaat"), decimal.Decimal(1)/7, sum(x*1.5 for x in range(1000)))
try: 1/0
except ZeroDivisionError as e: print(e)
print(sorted({str(i): i for i in range(200)}.items())[:5], math.pow(2, .5), math.erf(.5))
c = sqlite3.connect(":memory:")
c.execute("create table t(a, b)")
c.executemany("insert into t values (?, ?)", [(i, str(i)) for i in range(300)])
c.create_function("f", 1, lambda x: x*2)
print(c.execute("select sum(f(a)), group_concat(b) from t").fetchone())
try: c.execute("select nope")
except Exception as e: print(e)
print(subprocess.run(["echo", "hi"], capture_output=True).stdout, hashlib.sha256(b"x").hexdigest())
t = threading.Thread(target=print, args=(5,)); t.start(); t.join()
`
	const bash = `for i in 1 2 3; do echo $i | cat; done; f() { local x=$1; echo $((x*2)); }; f 21; echo {a,b}{1,2}; printf "%05.2f\n" 3.14159
trap "echo bye" EXIT; (exit 3); echo $?; x=$(ls / | wc -l); echo $x; sort < text; kill -l 15; (kill -TERM $BASHPID); echo $?`
	const tls = `
import socket, ssl, threading
a, b = socket.socketpair()
def serve():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain("pem.crt", "pem")
    with c.wrap_socket(a, server_side=True) as s:
        s.sendall(s.recv(100)[::-1])
t = threading.Thread(target=serve); t.start()
c = ssl.create_default_context(cafile="pem.crt")
with c.wrap_socket(b, server_hostname="localhost") as s:
    s.sendall(b"hello"); print(s.recv(100), s.version(), s.cipher())
t.join()
try:
    ssl.create_default_context(cafile="text")
except ssl.SSLError as e: print(e.reason)
`
	crypto := `openssl dgst -sha256 text; openssl x509 -in pem.crt -noout -subject; echo hello | openssl enc -aes-256-cbc -pbkdf2 -k x -S 0102030405060708 -a
openssl rsa -in pem -check -noout; openssl verify -CAfile pem.crt pem.crt`
	perl := `my %h = map { $_ => $_*2 } 1..100; print join(q(,), map { qq($_=$h{$_}) } sort { $a <=> $b } keys %h), qq(\n); printf qq(%.9f\n), sin(1); my $s = q(abc)x100; $s =~ s/b/X/g; print $s, qq(\n)`
	sh := func(script string) []string { return []string{harness.Program(t, "bash"), "-c", script} }
	programs := map[string]struct {
		objects []string
		args    []string
	}{
		"python":  {[]string{"libc", "python3*", "libsqlite3", "libm"}, []string{harness.Program(t, "python3"), "-c", python}},
		"bash":    {[]string{"libc", "bash"}, sh(bash)},
		"perl":    {[]string{"libc", "perl*"}, []string{harness.Program(t, "perl"), "-e", perl}},
		"ls":      {[]string{"libc", "*"}, []string{"/bin/ls", "-la", "/usr/share"}},
		"openssl": {[]string{"libc", "libcrypto*"}, sh(crypto)},
		"tls":     {[]string{"libssl*", "libcrypto*", "libc"}, []string{harness.Program(t, "python3"), "-c", tls}},
		"git":     {[]string{"libc", "*"}, []string{harness.Program(t, "git"), "--version"}},
	}
	for name, prog := range programs {
		t.Run(name, func(t *testing.T) {
			for _, object := range prog.objects {
				for _, instrument := range []string{"log", "count", "hist"} {
					t.Run(object+" "+instrument, func(t *testing.T) {
						rep := sameCmd(t, p(object+":*@"+instrument), harness.Cmd{Args: prog.args, Dir: dir})
						rep.exact(t)
						if len(rep.Functions) == 0 && object != "libm" {
							t.Errorf("nothing was seen")
						}
					})
				}
			}
		})
	}
}

// The functions that seam itself stands on.
func TestAllocatorsAndLocks(t *testing.T) {
	python := []string{harness.Program(t, "python3"), "-c", "import json, threading; x = [str(i)*50 for i in range(20000)]; print(len(json.dumps(x)))"}
	for _, start := range starts {
		for _, probe := range []string{"libc:malloc", "libc:free", "libc:calloc", "libc:realloc", "libc:pthread_mutex_*", "libc:pthread_create", "libc:mmap", "libc:munmap", "libc:sigaction", "libc:dl*"} {
			t.Run(start+" "+probe, func(t *testing.T) {
				same(t, with(p(probe, probe+"@count"), "--start", start), python...).exact(t)
			})
		}
	}
}
