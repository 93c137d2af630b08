package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// TestFollowExec executes programs in every way there is. What they see of their
// environment, but for seam's part, and what they print, is as without seam.
func TestFollowExec(t *testing.T) {
	prog := compile(t, "execs.c")
	static := compile(t, "execs-static.c", "-static")
	b, err := os.ReadFile(prog)
	if err != nil {
		t.Fatal(err)
	}
	setuid := filepath.Join(t.TempDir(), "setuid")
	if err := os.WriteFile(setuid, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(setuid, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	cmd := harness.Cmd{Args: []string{prog, static, setuid}}
	plain := harness.Run(t, cmd)
	if plain.Code != 0 || strings.Contains(plain.Stdout, "failed") {
		t.Fatalf("the program itself: %v", plain)
	}
	const cleaned, full = 11 + 3 + 1 + 2 + 2, 1 // executed with a clean environment; with the program's own
	asIs := []string{"static", "setuid", "large"}
	for _, mode := range []string{"inherit", "always", "never"} {
		for _, probes := range [][]string{onlyGetppid, {"-p", "libc:getppid", "-p", "libc:exec*@count"}, {"-p", "libc:getppid", "-p", "libc:*exec*", "-p", "libc:posix_spawn*", "-p", "libc:vfork"}} {
			t.Run(mode+" "+strings.Join(probes[1:], ""), func(t *testing.T) {
				res, r := watch(t, append([]string{"--follow-exec", mode}, probes...), cmd)
				if res.Code != 0 || res.Stderr != "" {
					t.Errorf("the program: %v", res)
				}
				exact(t, r)
				// every line as without seam, once seam's own part is left out
				var got []string
				watched := 0
				for line := range strings.SplitSeq(strings.TrimSpace(res.Stdout), "\n") {
					how, _, _ := strings.Cut(line, ":")
					ours := strings.Contains(line, "ours=1") && strings.HasSuffix(line, "spec=1 socket=1 reader=1 filters=1")
					none := strings.Contains(line, "ours=0") && strings.HasSuffix(line, "spec=0 socket=0 reader=0 filters=0")
					want := mode == "always" || mode == "inherit" && how == "own"
					for _, name := range asIs {
						want = want && how != name
					}
					if want && !ours || !want && !none {
						t.Errorf("watched: want %v: %s", want, line)
					}
					if ours {
						watched++
					}
					line = strings.NewReplacer("ours=1", "ours=0", "spec=1 socket=1 reader=1 filters=1", "spec=0 socket=0 reader=0 filters=0").Replace(line)
					got = append(got, line)
				}
				if text := strings.Join(got, "\n") + "\n"; text != plain.Stdout {
					t.Errorf("not as without seam:\nwithout:\n%s\nwith:\n%s", plain.Stdout, text)
				}
				if want := map[string]int{"inherit": full, "always": cleaned + 1 + full, "never": 0}[mode]; watched != want {
					t.Errorf("%d programs were watched, want %d", watched, want)
				}
				// null is like an empty environment; the shells of system and popen do not call it
				if calls := function(r, "getppid").Calls; mode != "always" && calls != uint64(watched) || calls < uint64(watched) {
					t.Errorf("getppid: %d calls, want %d", calls, watched)
				}
				if n := r.Account.Notes["exec_as_is"]; (mode == "always") != (n == uint64(len(asIs))) {
					t.Errorf("%d programs executed as they are: %v", n, r.Account.Notes)
				}
			})
		}
	}
}

// TestExecOutOfReach executes programs that could not read the library: the
// loader's complaint about it would be in the program's output.
func TestExecOutOfReach(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"/bin/sh", "/usr/bin/env", "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"} {
		to := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-L", file, to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	const script = "echo a root of its own; /usr/bin/env -i /bin/sh -c 'echo and a child'"
	programs := map[string][]string{"chroot": {harness.Program(t, "unshare"), "-Ur", "/usr/sbin/chroot", root, "/bin/sh", "-c", script}}
	if os.Geteuid() == 0 {
		programs["user"] = []string{"/usr/sbin/runuser", "-u", "nobody", "--", "/bin/sh", "-c", "ls -d /; id -un"}
	}
	for name, args := range programs {
		for _, mode := range []string{"inherit", "always", "never"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				bare := harness.Run(t, harness.Cmd{Args: args})
				res, r := watch(t, []string{"--follow-exec", mode}, harness.Cmd{Args: args})
				if res.Stdout != bare.Stdout || res.Stderr != bare.Stderr || res.Code != bare.Code || bare.Code != 0 {
					t.Errorf("without: %v\nwith: %v", bare, res)
				}
				exact(t, r)
				if n := r.Account.Notes["exec_out_of_reach"]; n == 0 && mode != "never" {
					t.Errorf("nothing is said: %v", r.Account.Notes)
				}
			})
		}
	}
}
