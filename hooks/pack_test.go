package hooks

import (
	"debug/elf"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestPacksParse(t *testing.T) {
	for n := range tables().byName {
		if knownTable().byName[n] != 0 || knownTable().hook(n) != nil {
			t.Errorf("%s is in a pack and in the table of known functions", n)
		}
	}
	if err := errors.Join(tables().check(), knownTable().check()); err != nil {
		var pe *ProbeError
		if errors.As(err, &pe) {
			t.Fatalf("%v\n%s\n%s", err, pe.Caret(), pe.Hint)
		}
		t.Fatal(err)
	}
	for _, p := range Packs() {
		if len(PackHooks(p)) < 20 {
			t.Errorf("pack %s has %d hooks", p, len(PackHooks(p)))
		}
		if pr, ok := PackProbe(p); !ok || pr.Pack != p || pr.Lib == "" || pr.Sym != "*" {
			t.Errorf("PackProbe(%q) = %+v, %v", p, pr, ok)
		}
	}
	if PackHooks("") != nil || PackHooks("nosuch") != nil {
		t.Error("hooks of a pack that is none")
	}
}

// elsewhere are names that glibc 2.36 does not export: those of newer versions.
var elsewhere = map[string]bool{
	"pidfd_spawn": true, "pidfd_spawnp": true, // glibc 2.39
}

func exported(t *testing.T, paths ...string) map[string]bool {
	t.Helper()
	m := map[string]bool{}
	for _, p := range paths {
		f, err := elf.Open(p)
		if err != nil {
			t.Fatalf("open %s: %v", p, err)
		}
		syms, err := f.DynamicSymbols()
		f.Close()
		if err != nil {
			t.Fatalf("symbols of %s: %v", p, err)
		}
		for _, s := range syms {
			if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) != elf.STT_OBJECT {
				m[s.Name] = true
			}
		}
	}
	return m
}

// A name that no library exports is a spelling mistake.
func TestNamesAreExported(t *testing.T) {
	const dir = "/lib/x86_64-linux-gnu/"
	libc := exported(t, dir+"libc.so.6", dir+"libresolv.so.2", dir+"libcrypt.so.1", dir+"libanl.so.1")
	sqlite := exported(t, dir+"libsqlite3.so.0")
	for _, name := range Names() {
		h, _ := Lookup("", name)
		have := libc
		if h.Pack == "sqlite" {
			have = sqlite
		}
		if have[name] == elsewhere[name] {
			t.Errorf("%s (pack %q): exported here %v, said to be from elsewhere %v", name, h.Pack, have[name], elsewhere[name])
		}
	}
}

// The families that the packs promise to cover are complete: no exported
// variant is missing.
func TestFamiliesAreComplete(t *testing.T) {
	const dir = "/lib/x86_64-linux-gnu/"
	libc := exported(t, dir+"libc.so.6")
	stems := []string{"open", "openat", "creat", "read", "write", "pread", "pwrite", "readv", "writev", "preadv", "pwritev", "preadv2", "pwritev2", "lseek",
		"stat", "lstat", "fstat", "fstatat", "truncate", "ftruncate", "fallocate", "posix_fallocate", "mkstemp", "mkostemp", "mkstemps", "mkostemps", "fopen", "freopen", "sendfile", "statfs", "fstatfs", "lockf", "tmpfile", "readdir"}
	var want []string
	for _, s := range stems {
		want = append(want, s, s+"64", "__"+s+"_2", "__"+s+"_chk", "__"+s+"64_chk", "__"+s+"64_2")
	}
	want = append(want, "__xstat", "__xstat64", "__lxstat", "__lxstat64", "__fxstat", "__fxstat64", "__fxstatat", "__fxstatat64", "__recv_chk", "__recvfrom_chk", "preadv64v2", "pwritev64v2", "dup3", "execveat")
	for _, n := range want {
		if _, ok := Lookup("libc.so.6", n); libc[n] && !ok {
			t.Errorf("libc exports %s, no pack has it", n)
		}
	}
	sqlite := exported(t, dir+"libsqlite3.so.0")
	for _, n := range slices.Sorted(maps.Keys(sqlite)) {
		if strings.HasPrefix(n, "sqlite3_bind_") && !strings.HasPrefix(n, "sqlite3_bind_parameter") {
			if _, ok := Lookup("libsqlite3.so.0", n); !ok {
				t.Errorf("sqlite exports %s, the pack lacks it", n)
			}
		}
	}
}

func TestEntryOnly(t *testing.T) {
	must := []string{"vfork", "clone", "exit", "_exit", "_Exit", "quick_exit", "abort", "execl", "execlp", "execle", "dlopen", "dlsym", "printf", "pthread_exit"}
	for _, n := range must {
		if h, ok := Lookup("", n); !ok || !h.EntryOnly {
			t.Errorf("%s must be entry-only: %v, %v", n, h, ok)
		}
	}
	for _, n := range []string{"fork", "_Fork", "open", "openat", "fcntl", "ioctl", "prctl", "execve", "execvp", "posix_spawn", "system"} {
		if h, ok := Lookup("", n); !ok || h.EntryOnly {
			t.Errorf("%s must return through a frame: %v", n, ok)
		}
	}
	// A variadic function called through a frame must not need stack arguments
	// that are not copied.
	for _, n := range Names() {
		h, _ := Lookup("", n)
		if _, _, ncopy := Words(h); h.Variadic && !h.EntryOnly && len(h.Args) > 6 && ncopy == 0 {
			t.Errorf("%s is variadic, goes through a frame and copies no stack", n)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags HookFlags
	}{
		{"fork", HookForks}, {"vfork", HookForks}, {"clone", HookForks}, {"execve", HookExec}, {"execl", HookExec},
		{"exit", HookExit | HookNoReturn}, {"_exit", HookExit | HookNoReturn}, {"abort", HookExit | HookNoReturn}, {"pthread_exit", HookNoReturn}, {"open", 0},
	} {
		if h, _ := Lookup("", c.name); h.Flags != c.flags {
			t.Errorf("%s: flags %d, want %d", c.name, h.Flags, c.flags)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		lib, name string
		ok        bool
	}{
		{"", "open", true}, {"libc.so.6", "open", true}, {"/usr/lib/libc.so.6", "open", true}, {"libc-2.31.so", "open", true},
		{"libpthread-2.31.so", "read", true}, {"libcrypto.so.3", "open", false}, {"libfoo.so", "connect", false},
		{"libsqlite3.so.0", "sqlite3_step", true}, {"/opt/app", "sqlite3_step", true}, {"libc.so.6", "nosuch", false}, {"libc.so.6", "malloc", true},
	} {
		if _, ok := Lookup(c.lib, c.name); ok != c.ok {
			t.Errorf("Lookup(%q, %q) = %v", c.lib, c.name, ok)
		}
	}
}

// What must not be captured has no operation and, where the word itself is the
// secret, no word.
func TestSecretsAreNotCaptured(t *testing.T) {
	for _, n := range Names() {
		h, _ := Lookup("", n)
		ops := Ops(h)
		for i := range h.Args {
			a := &h.Args[i]
			if !a.Secret {
				continue
			}
			if _, ok := argOp(h, a); ok {
				t.Errorf("%s: secret %s is read", n, a.Name)
			}
			if a.hidden() && a.Word >= 0 {
				t.Errorf("%s: secret %s is in word %d", n, a.Name, a.Word)
			}
		}
		if len(ops) > maxOps {
			t.Errorf("%s: %d operations", n, len(ops))
		}
	}
	for _, c := range []struct {
		name  string
		nregs int
	}{{"sqlite3_bind_int", 2}, {"sqlite3_bind_int64", 2}, {"sqlite3_bind_double", 2}, {"sqlite3_bind_text", 5}} {
		h, _ := Lookup("", c.name)
		if n, _, _ := Words(h); n != c.nregs {
			t.Errorf("%s captures %d registers, want %d", c.name, n, c.nregs)
		}
	}
	for _, n := range []string{"read", "write", "send", "recv", "recvmsg", "pread64", "pwrite64", "setsockopt", "sqlite3_bind_text", "fread"} {
		h, _ := Lookup("", n)
		for _, op := range Ops(h) {
			if op.Op == OpBuf || op.Op == OpBuf32 || op.Op == OpStr {
				t.Errorf("%s captures content: %+v", n, op)
			}
		}
	}
}
