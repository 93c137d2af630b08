package live

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// hot are functions of libc that eight threads are in while they are patched and
// unpatched; exactly are called by nobody but in the phases that are counted.
var (
	hot = []string{"malloc", "free", "getpid", "getenv", "strtol", "atoi", "read", "write", "pthread_mutex_lock", "pthread_mutex_unlock",
		"clock_gettime", "lseek", "lseek64", "snprintf", "strtok_r", "strtok", "__strtok_r"}
	exactly = []string{"getppid", "getpgid", "getsid"}
)

// internal are functions that the core itself must hear of, whatever the spec says.
var internal = []string{"prctl", "syscall", "capset", "unshare", "setns", "vfork", "clone", "spawn", "wait", "exec", "exit", "map", "mprotect",
	"brk", "advise", "Exit", "trunc", "shm", "fork", "system", "pipe"}

// TestHammer puts probes on libc's hottest functions and takes them off again, with eight
// threads in them. Results stay right, no call between "it is in" and "take it out" is lost or
// doubled, what is removed is byte for byte what the file has, and nothing grows.
func TestHammer(t *testing.T) {
	for _, instrument := range []string{"log", "count"} {
		t.Run(instrument, func(t *testing.T) {
			var probes []string
			for _, f := range append(hot, exactly...) {
				probes = append(probes, "libc:"+f+"@"+instrument)
			}
			on, off := spec(t, probes...), spec(t)
			cycles := rounds(40, 2000)
			fast := rounds(300, 10000)
			// what is there at the start was put in before any thread ran, and is taken out live
			first := []string{"-p", "libc:getenv", "-p", "libc:strtol", "-p", "libc:getsid@hist", "-p", "libc:read"}
			res, rep := run(t, time.Duration(rounds(120, 3600))*time.Second, first, compile(t, "hammer.c"), strconv.Itoa(cycles), on, off, strconv.Itoa(fast))
			if res.Code != 0 || res.Signal != 0 {
				t.Fatal(res)
			}
			exact(t, rep)
			want := value(t, res.Stdout, "counted")[0]
			for _, f := range exactly {
				if n := calls(rep, f); n != uint64(want) {
					t.Errorf("%s: %d calls, want %d", f, n, want)
				}
			}
			for _, f := range hot {
				if strings.Contains(f, "strtok") || strings.Contains(f, "lseek") {
					continue // known by one of its names
				}
				if !strings.Contains(res.Stdout, " "+f+" ") {
					t.Errorf("%s: not said to be patched", f)
				}
				if calls(rep, f) == 0 {
					t.Errorf("%s: no call was recorded: the threads were not in it", f)
				}
			}
			for line := range strings.Lines(res.Stdout) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "changed "); ok && !isInternal(name) {
					t.Errorf("%s: not as in the file after all probes are gone", name)
				}
				if strings.HasPrefix(line, "refused") {
					t.Errorf("%s", line)
				}
			}
			mem, maps := value(t, res.Stdout, "memory"), value(t, res.Stdout, "mappings")
			if grown := mem[1] - mem[0]; grown > 8<<10 {
				t.Errorf("private memory grew by %d KiB in %d cycles", grown, cycles)
			}
			// A leak would be one or more for each cycle; Go's heap grows by a few.
			if grown := maps[1] - maps[0]; grown > int64(cycles)/2 {
				t.Errorf("%d more mappings after %d cycles", grown, cycles)
			}
			took := time.Duration(value(t, res.Stdout, "fast")[0])
			t.Logf("%d cycles with exact calls, %d without pause in %v (%v each way); %d turns of the threads; %d KiB more, %d mappings more; %d produced, %d delivered, %d dropped",
				cycles, fast, took, took/time.Duration(2*fast), value(t, res.Stdout, "turns")[0], mem[1]-mem[0], maps[1]-maps[0],
				rep.Account.Produced, rep.Account.Delivered, rep.Account.Dropped)
		})
	}
}

func isInternal(name string) bool {
	for _, part := range internal {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
