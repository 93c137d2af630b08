package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func code(n int) *int { return &n }

// TestTreeFolds: what many children did alike is one line; a failure keeps its own.
func TestTreeFolds(t *testing.T) {
	r := &Report{StartNS: 1, EndNS: 9e9}
	add := func(pid, ppid, depth int, status *int, signal int, argv ...string) {
		r.Processes = append(r.Processes, Process{PID: pid, PPID: ppid, Depth: depth, Argv: argv, Ended: true, Status: status, Signal: signal,
			StartNS: 1e9, EndNS: 1e9 + int64(pid)*1e6, Calls: 2})
	}
	add(1, 0, 0, code(2), 0, "make", "-j2")
	for i := range 3000 {
		add(10+2*i, 1, 1, code(0), 0, "/usr/bin/gcc", fmt.Sprintf("f%d.c", i))
		add(11+2*i, 10+2*i, 2, code(0), 0, "cc1", fmt.Sprintf("f%d.c", i))
	}
	add(9000, 1, 1, code(1), 0, "/usr/bin/gcc", "bad.c")
	add(9001, 9000, 2, nil, 11, "cc1", "bad.c")
	add(9002, 1, 1, code(0), 0, "make", "-j2")
	r.Processes = append(r.Processes, Process{PID: 9003, PPID: 1, Depth: 1, Ended: true, EndNS: 5e9, Status: code(3)})
	var b bytes.Buffer
	if err := r.WriteText(&b, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(b.String(), "Processes\n")
	want := `
     pid  calls    time      end  command
       1      2  1.00ms   exit 2  make -j2
  ×3,000  6,000  ~3.01s   exit 0    gcc
  ×3,000  6,000  ~3.01s   exit 0      cc1
    9000      2   9.00s   exit 1    /usr/bin/gcc bad.c
    9001      2   9.00s  SIGSEGV      cc1 bad.c
    9002      2   9.00s   exit 0    (fork)
    9003      -       -   exit 3    (not watched)
`
	if !strings.HasPrefix("\n"+text, want) {
		t.Errorf("got:\n%s\nwant:%s", text, want)
	}
}
