package launcher

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// elfFile makes the smallest ELF file with these properties.
func elfFile(class, order byte, machine, kind uint16, interp string) []byte {
	b := make([]byte, 64)
	copy(b, "\x7fELF")
	b[4], b[5], b[6] = class, order, 1
	var bo binary.ByteOrder = binary.LittleEndian
	if order == 2 {
		bo = binary.BigEndian
	}
	bo.PutUint16(b[16:], kind)
	bo.PutUint16(b[18:], machine)
	bo.PutUint64(b[32:], 64)
	bo.PutUint16(b[54:], 56)
	if interp != "" {
		bo.PutUint16(b[56:], 1)
		ph := make([]byte, 56)
		bo.PutUint32(ph, ptInterp)
		bo.PutUint64(ph[8:], 64+56)
		bo.PutUint64(ph[32:], uint64(len(interp)+1))
		b = append(append(b, ph...), interp+"\x00"...)
	}
	return b
}

func refusal(t *testing.T, err error) *Refusal {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("error is %v, want a refusal", err)
	}
	return r
}

func TestCheckRefuses(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, content []byte, mode os.FileMode) string {
		return write(t, filepath.Join(dir, name), content, mode)
	}
	os.Mkdir(filepath.Join(dir, "dir"), 0o755)
	os.Symlink("nowhere", filepath.Join(dir, "dangling"))
	unix.Mkfifo(filepath.Join(dir, "fifo"), 0o755)
	truth, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		path   string
		reason Reason
		detail string // is contained
		hint   string // is contained
		code   int
	}{
		{"no such file", dir + "/nothing", NotFound, "", "", 127},
		{"not in PATH", "no-such-program-anywhere", NotFound, "", "PATH", 127},
		{"empty", "", NotFound, "", "", 127},
		{"below a file", put("plain", []byte("x"), 0o644) + "/x", NotFound, "", "", 127},
		{"dangling link", dir + "/dangling", NotFound, "nowhere", "", 127},
		{"directory", dir + "/dir", IsDirectory, "", "", 126},
		{"fifo", dir + "/fifo", NotExecutable, "regular", "", 126},
		{"no x bit", put("nox", truth, 0o644), NotExecutable, "permission denied", "chmod +x", 126},
		{"binary garbage", put("garbage", []byte("\x00\x01\x02\xff"), 0o755), NotELF, "", "", 126},
		{"static", compile(t, "gcc", "static", "-static"), Static, "", "dynamically", 126},
		{"static-pie", compile(t, "gcc", "static-pie", "-static-pie"), Static, "", "", 126},
		{"shared library", compile(t, "gcc", "lib.so", "-shared", "-fPIC"), Static, "library", "", 126},
		{"object file", compile(t, "gcc", "main.o", "-c"), NotExecutable, "", "", 126}, // no x bit either
		{"Go", starter(), Static, "Go program", "C library", 126},
		{"musl", compile(t, "musl-gcc", "musl"), Musl, "ld-musl", "glibc", 126},
		{"relocatable", put("rel", elfFile(2, 1, machineX86_64, 1, ""), 0o755), NotProgram, "", "", 126},
		{"core dump", put("core", elfFile(2, 1, machineX86_64, 4, ""), 0o755), NotProgram, "", "", 126},
		{"arm64", put("arm64", elfFile(2, 1, 183, etExec, "/lib/ld-linux-aarch64.so.1"), 0o755), OtherMachine, "64-bit ARM64", "", 126},
		{"s390", put("s390", elfFile(2, 2, 22, etExec, "/lib/ld64.so.1"), 0o755), OtherMachine, "64-bit s390", "", 126},
		{"32-bit", put("i386", elfFile(1, 1, 3, etExec, ""), 0o755), OtherMachine, "32-bit x86", "", 126},
		{"x32", put("x32", elfFile(1, 1, machineX86_64, etExec, ""), 0o755), OtherMachine, "x32", "", 126},
		{"odd loader", put("odd", elfFile(2, 1, machineX86_64, etExec, "/lib/ld-strange.so"), 0o755), UnknownLoader, "ld-strange", "", 126},
		{"missing loader", put("noldso", elfFile(2, 1, machineX86_64, etExec, "/nowhere/ld-linux-x86-64.so.2"), 0o755), NotExecutable, "/nowhere", "", 126},
		{"cut header", put("cut", truth[:30], 0o755), Damaged, "cut short", "", 126},
		{"cut program headers", put("cut2", truth[:100], 0o755), Damaged, "program headers", "", 126},
		{"bad interpreter", put("s1", []byte("#!/no/such/interpreter\n"), 0o755), BadInterpreter, "/no/such/interpreter", "", 126},
		{"no interpreter", put("s2", []byte("#! \n"), 0o755), BadInterpreter, "names no interpreter", "", 126},
		{"CR LF", put("s3", []byte("#!/bin/sh\r\necho\r\n"), 0o755), BadInterpreter, "", "CR LF", 126},
		{"env: CR LF", put("s4", []byte("#!/usr/bin/env sh\r\n"), 0o755), BadInterpreter, "", "CR LF", 126},
		{"env: not found", put("s5", []byte("#!/usr/bin/env no-such-interpreter\n"), 0o755), BadInterpreter, "no-such-interpreter", "", 126},
		{"env -i", put("s6", []byte("#!/usr/bin/env -iS sh -e\n"), 0o755), ScrubsEnviron, "env -i", "", 126},
		{"static interpreter", put("s7", []byte("#!"+compile(t, "gcc", "static2", "-static")+" -x\n"), 0o755), Static, "", "", 126},
		{"endless", put("loop", []byte("#!"+dir+"/loop\n"), 0o755), BadInterpreter, "too many", "", 126},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Check([]string{tc.path}, []string{"PATH=" + os.Getenv("PATH")})
			r := refusal(t, err)
			if r.Reason != tc.reason || !strings.Contains(r.Detail, tc.detail) || !strings.Contains(r.Hint, tc.hint) {
				t.Errorf("got %v: %v; detail %q, hint %q\nwant %v, %q, %q", r.Reason, r, r.Detail, r.Hint, tc.reason, tc.detail, tc.hint)
			}
			if c := ExitCode(err); c != tc.code {
				t.Errorf("exit code %d, want %d", c, tc.code)
			}
		})
	}
}

func TestCheckAccepts(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) string {
		return write(t, filepath.Join(dir, name), []byte(content), 0o755)
	}
	real := func(p string) string {
		p, err := exec.LookPath(p)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	sh, perl := "/bin/sh", real("perl")
	one := put("one", "#! /bin/sh -e\n")
	two := put("two", "#!"+one+"\n")
	env := put("env1", "#!/usr/bin/env -S perl -w\n")
	assigned := put("env2", "#!/usr/bin/env -S -u LANG A=1 B='x y' perl\n")
	unknown := put("env3", "#!/usr/bin/env -S PATH=/opt/bin perl\n")
	bare := put("bare", "echo no hash-bang\n")
	empty := put("empty", "")
	noeol := put("noeol", "#!/bin/sh")
	for _, tc := range []struct {
		argv []string
		want Target
	}{
		{[]string{"/bin/true"}, Target{ELF: "/bin/true"}},
		{[]string{"sh", "-c", "x"}, Target{Path: real("sh"), ELF: real("sh")}},
		{[]string{one, "a"}, Target{ELF: sh, Via: []string{one}}},
		{[]string{two}, Target{ELF: sh, Via: []string{two, one}}},
		{[]string{noeol}, Target{ELF: sh, Via: []string{noeol}}},
		{[]string{env, "a"}, Target{ELF: perl, Via: []string{env, "/usr/bin/env"}}},
		{[]string{assigned}, Target{ELF: perl, Via: []string{assigned, "/usr/bin/env"}}},
		{[]string{unknown}, Target{ELF: "/usr/bin/env", Via: []string{unknown},
			Notes: []string{"'" + unknown + "': can't tell what its env line runs"}}},
		{[]string{bare, "a b"}, Target{Path: sh, Argv: []string{sh, bare, "a b"}, ELF: sh, Via: []string{bare},
			Notes: []string{"'" + bare + "' has no #! line: run by /bin/sh"}}},
		{[]string{empty}, Target{Path: sh, Argv: []string{sh, empty}, ELF: sh, Via: []string{empty},
			Notes: []string{"'" + empty + "' has no #! line: run by /bin/sh"}}},
		{[]string{"/lib64/ld-linux-x86-64.so.2", "--library-path", "/x", "/bin/true", "arg"},
			Target{ELF: "/bin/true", Via: []string{"/lib64/ld-linux-x86-64.so.2"}}},
		{[]string{"/lib64/ld-linux-x86-64.so.2"}, Target{ELF: "/lib64/ld-linux-x86-64.so.2", Loader: "/lib64/ld-linux-x86-64.so.2"}},
	} {
		t.Run(strings.Join(tc.argv, " "), func(t *testing.T) {
			got, err := Check(tc.argv, []string{"PATH=" + os.Getenv("PATH")})
			if err != nil {
				t.Fatal(err)
			}
			want := tc.want
			want.Program = tc.argv[0]
			if want.Path == "" {
				want.Path = tc.argv[0]
			}
			if want.Argv == nil {
				want.Argv = tc.argv
			}
			if want.Loader == "" {
				want.Loader = "/lib64/ld-linux-x86-64.so.2"
			}
			if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(Target{})); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestPathSearch: past what may not be executed, as execvp does.
func TestPathSearch(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	write(t, a+"/prog", []byte("#!/bin/sh\n"), 0o644)
	os.Mkdir(a+"/other", 0o755)
	write(t, b+"/prog", []byte("#!/bin/sh\n"), 0o755)
	got, err := Check([]string{"prog"}, []string{"PATH=/nowhere:" + a + ":" + b})
	if err != nil || got.Path != b+"/prog" {
		t.Errorf("found %v, %v; want %s", got, err, b+"/prog")
	}
	_, err = Check([]string{"prog"}, []string{"PATH=" + a})
	if r := refusal(t, err); r.Reason != NotExecutable || ExitCode(err) != 126 {
		t.Errorf("only one without x: %v", r)
	}
	_, err = Check([]string{"other"}, []string{"PATH=" + a})
	if r := refusal(t, err); r.Reason != NotFound {
		t.Errorf("only a directory: %v", r)
	}
	// An unset PATH has a default, an empty element is the current directory.
	if _, err = Check([]string{"sh"}, nil); err != nil {
		t.Errorf("without PATH: %v", err)
	}
	t.Chdir(b)
	got, err = Check([]string{"prog"}, []string{"PATH=:/nowhere"})
	if err != nil || got.Path != "./prog" {
		t.Errorf("in the current directory: %v, %v", got, err)
	}
	_, err = Check([]string{"prog"}, []string{"PATH=/nowhere"})
	if r := refusal(t, err); !strings.Contains(r.Hint, "./prog") {
		t.Errorf("hint %q doesn't name ./prog", r.Hint)
	}
}

func TestSplitString(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"python3 -x", []string{"python3", "-x"}},
		{"  a\t b ", []string{"a", "b"}},
		{`'a b' "c d" e\_f`, []string{"a b", "c d", "e", "f"}},
		{`"a\_b" x\ty`, []string{"a b", "x\ty"}},
		{`a '' b`, []string{"a", "", "b"}},
		{`a # comment`, []string{"a"}},
		{`a\c b`, []string{"a"}},
		{``, nil},
	} {
		if got := splitString(tc.in); !slices.Equal(got, tc.want) {
			t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
		}
	}
}

// TestPrivileged compares our reckoning of AT_SECURE with the kernel's, for root
// and for another user.
func TestPrivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make privileged files")
	}
	dir, err := os.MkdirTemp("/var/tmp", "seam-secure-") // /tmp may be mounted nosuid
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	// Prints the kernel's AT_SECURE.
	src := write(t, dir+"/secure.c", []byte("#include <stdio.h>\n#include <sys/auxv.h>\nint main(void) { printf(\"%lu\", getauxval(AT_SECURE)); return 0; }\n"), 0o644)
	plain := dir + "/plain"
	if out, err := exec.Command("gcc", "-o", plain, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, _ := os.ReadFile(plain)
	const user = 65534
	me := dir + "/self.test"
	self, _ := os.ReadFile("/proc/self/exe")
	write(t, me, self, 0o755)
	for _, tc := range []struct {
		name     string
		uid, gid int
		mode     os.FileMode
		caps     string
		root     bool // secure when root runs it
		user     bool // secure when another user does
	}{
		{"plain", 0, 0, 0o755, "", false, false},
		{"setuid-root", 0, 0, 0o755 | os.ModeSetuid, "", false, true},
		{"setuid-user", user, 0, 0o755 | os.ModeSetuid, "", true, false},
		{"setgid-root", 0, 0, 0o755 | os.ModeSetgid, "", false, true},
		{"setgid-other", 0, 42, 0o755 | os.ModeSetgid, "", true, true},
		{"setgid-without-x", 0, 42, 0o745 | os.ModeSetgid, "", false, false},
		{"capabilities", 0, 0, 0o755, "cap_net_raw+ep", false, true},
		{"permitted-only", 0, 0, 0o755, "cap_net_raw+p", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, filepath.Join(dir, tc.name), content, 0o755)
			if err := os.Chown(path, tc.uid, tc.gid); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tc.mode); err != nil {
				t.Fatal(err)
			}
			if tc.caps != "" {
				if out, err := exec.Command("setcap", tc.caps, path).CombinedOutput(); err != nil {
					t.Fatalf("setcap: %v\n%s", err, out)
				}
			}
			for _, as := range []struct {
				uid    int
				secure bool
			}{{0, tc.root}, {user, tc.user}} {
				kernel := asUser(t, as.uid, nil, path)
				if (kernel == "1") != as.secure {
					t.Fatalf("uid %d: the kernel says AT_SECURE=%s; the test is wrong", as.uid, kernel)
				}
				ours := asUser(t, as.uid, []string{"SEAM_TEST_CHECK=" + path}, me)
				if (ours == Privileged.String()) != as.secure {
					t.Errorf("uid %d: Check says %q, the kernel AT_SECURE=%s", as.uid, ours, kernel)
				}
			}
		})
	}
}

func asUser(t *testing.T, uid int, env []string, path string) string {
	t.Helper()
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = "/", env
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s as %d: %v\n%s", path, uid, err, out.String())
	}
	return out.String()
}

// TestSecure has the cases that can't be set up everywhere.
func TestSecure(t *testing.T) {
	user := identity{uid: 1000, euid: 1000, gid: 1000, egid: 1000, bounding: ^uint64(0)}
	setuid := privilegedFile{mode: 0o4755}
	caps := privilegedFile{mode: 0o755, caps: []byte{1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}
	nosuid := func(f privilegedFile) privilegedFile { f.nosuid = true; return f }
	for _, tc := range []struct {
		name string
		who  func(identity) identity
		file privilegedFile
		want bool
	}{
		{"setuid", nil, setuid, true},
		{"setuid, nosuid mount", nil, nosuid(setuid), false},
		{"setuid, no new privileges", func(i identity) identity { i.noNewPrivs = true; return i }, setuid, false},
		{"capabilities", nil, caps, true},
		{"capabilities, nosuid mount", nil, nosuid(caps), false},
		{"capabilities cut short", nil, privilegedFile{mode: 0o755, caps: caps.caps[:10]}, false},
		{"we run setuid", func(i identity) identity { i.euid = 0; return i }, privilegedFile{mode: 0o755}, true},
		{"permitted, in ambient", func(i identity) identity { i.ambient = 1 << 13; return i },
			privilegedFile{mode: 0o755, caps: append([]byte{0}, caps.caps[1:]...)}, false},
		{"permitted, not in bounding set", func(i identity) identity { i.bounding = 0; return i },
			privilegedFile{mode: 0o755, caps: append([]byte{0}, caps.caps[1:]...)}, false},
	} {
		who := user
		if tc.who != nil {
			who = tc.who(who)
		}
		if got := secure(who, tc.file); (got != "") != tc.want {
			t.Errorf("%s: %q, want secure %v", tc.name, got, tc.want)
		}
	}
}

func FuzzReadObject(f *testing.F) {
	f.Add(elfFile(2, 1, machineX86_64, etExec, "/lib64/ld-linux-x86-64.so.2"))
	f.Add(elfFile(1, 2, 22, etExec, ""))
	if b, err := os.ReadFile("/bin/true"); err == nil {
		f.Add(b[:min(len(b), 4096)])
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := readObject(bytes.NewReader(b), uint64(len(b)))
		if (o == nil) == (err == nil) {
			t.Fatalf("object %v, error %v", o, err)
		}
	})
}

func FuzzHashBang(f *testing.F) {
	f.Add("#!/usr/bin/env -S a 'b c' \\_ d")
	f.Add("#! /bin/sh -e")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 2 {
			return
		}
		interp, arg, problem := hashBang([]byte(s))
		if interp == "" && problem == "" {
			t.Fatal("no interpreter and no complaint")
		}
		envCommand(append(splitString(arg), "script"))
	})
}
