package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	six   = function{name: "work_six"}
	write = function{name: "write", own: "33"}
)

// The samples are what the tools of packages.txt printed.
func TestCountLines(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		fn         function
		count      int
		lost       int
	}{
		{"ltrace", "31 field->work_six(0, 2, 3, 4)                      = 22\n31 field->work_six(1, 2, 3, 4 <unfinished ...>\n" +
			"32 <... work_six resumed> )  = 23\n31 libsqlite3.so.0->getenv(\"TMPDIR\")  = nil\n", six, 2, 0},
		{"ltrace, one process", "work_six(0, 2, 3, 4) = 22\n+++ exited (status 0) +++\n", six, 1, 0},
		{"ltrace -x", "31 work_six@libwork.so(0, 2, 3, 4) = 22\n", six, 1, 0},
		{"strace", "640   write(3, \"a-string-of-exactly-32-bytes-ok!\"..., 33) = 33\n640   write(3, \"a-\"..., 33 <unfinished ...>\n" +
			"641   <... write resumed>) = 33\n640   write(1, \"12.3\\n\", 5)  = 5\n", write, 2, 0},
		{"perf trace", "     0.020 ( 0.002 ms): field/707 write(fd: 4, buf: 0x55cc1df4c180, count: 33)      = 33\nLOST 105 events!\n" +
			"     0.020 ( 0.002 ms): field/707 write(fd: 1, buf: 0x55cc1df4c180, count: 5)      = 5\n", write, 1, 105},
		{"bpftrace", "work_six( 0 2 3 4 5 6)\n= 22\nLost 7 events\n", six, 1, 7},
	} {
		count, lost, err := countLines(strings.NewReader(tc.text), tc.fn)
		if err != nil || count != tc.count || lost != tc.lost {
			t.Errorf("%s: got %d calls, %d lost, %v; want %d, %d", tc.name, count, lost, err, tc.count, tc.lost)
		}
	}
}

func TestCountUftrace(t *testing.T) {
	report := "       Calls  Function\n  ==========  ====================\n     1000000  work_six\n          17  linux:schedule (pre-empted)\n"
	count, lost, err := countUftrace(report, "WARN: LOST 12 records\n", six)
	if count != 1000000 || lost != 12 || err != nil {
		t.Errorf("got %d, %d, %v", count, lost, err)
	}
}

func TestCountCTF(t *testing.T) {
	text := "[18:34:40.652898140] (+?.?????????) vm field:work_six_entry: { cpu_id = 1 }, { a = 0, b = 2 }\n" +
		"[18:34:40.652971869] (+0.000011009) vm field:exit: { cpu_id = 1 }, { ret = 14, err = 2 }\n" +
		"[18:34:40.652981869] (+0.000072720) vm field:three_entry: { cpu_id = 1 }, { function = \"write\", a = 3, b = 0, c = 33 }\n"
	for _, fn := range []function{six, write} {
		if n, err := countCTF(strings.NewReader(text), fn); n != 1 || err != nil {
			t.Errorf("%s: got %d, %v", fn.name, n, err)
		}
	}
	if n := lostIn("Waiting for data availability.\nWarning: 62142 events were discarded, please refer to the documentation\n"); n != 62142 {
		t.Errorf("lost: got %d", n)
	}
}

func TestCountReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	text := `{"functions":[{"lib":"libwork.so","name":"work_six","calls":516916,"dropped":483084}],"account":{"dropped":483084}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, lost, err := countReport(file, six); n != 516916 || lost != 483084 || err != nil {
		t.Errorf("got %d, %d, %v", n, lost, err)
	}
}

func TestNumber(t *testing.T) {
	for _, tc := range []struct {
		v      float64
		digits int
		want   string
	}{{0, 1, "0.0"}, {12.34, 1, "12.3"}, {1234.5, 1, "1,234"}, {-1234567, 0, "-1,234,567"}, {999999, 0, "999,999"}, {-123456, 0, "-123,456"}} {
		if got := number(tc.v, tc.digits); got != tc.want {
			t.Errorf("number(%v): got %q, want %q", tc.v, got, tc.want)
		}
	}
}

// A goal is judged by the figures of the same run, and not at all without them.
func TestGoals(t *testing.T) {
	table := func(own, peer float64) []*Part {
		return []*Part{{Tables: []Table{{ID: "calls-1", Columns: []string{"work_six"}, Rows: []Row{
			{Name: "seam", Cells: []Cell{{Median: own, Quiet: own, Rounds: 7}}},
			{Name: "LTTng-UST", Cells: []Cell{{Median: peer, Quiet: peer, Rounds: 7}}},
		}}}}}
	}
	g := perCallGoal("LTTng-UST's", "LTTng-UST", 4, "work_six")
	for _, tc := range []struct {
		parts []*Part
		want  string
	}{{table(30, 120), met}, {table(30, 119), missed}, {nil, unknown}} {
		if _, _, got := g.judge(tc.parts); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func TestParseLoad(t *testing.T) {
	wrk := "  Latency Distribution\n     50%  163.00us\n     99%    1.04ms\n  56789 requests in 2.00s, 560.00MB read\nRequests/sec:  40000.00\nTransfer/sec:    390.00MB\n"
	if v, err := parseWrk(wrk); err != nil || v[0] != 25 || v[1] != 1040 {
		t.Errorf("wrk: got %v, %v", v, err)
	}
	if v, err := parseWrk("unable to connect\n"); err == nil {
		t.Errorf("wrk: got %v of no answer", v)
	}
	redis := "SET: rps=0.0 (overall: 0.0)\rSET: 50000.00 requests per second, p50=0.2 msec\nGET: 25000.00 requests per second, p50=0.2 msec\n"
	if v, err := parseRedis(redis); err != nil || v[0] != 30 {
		t.Errorf("redis-benchmark: got %v, %v", v, err)
	}
}

// What is still there when a command ends, or misses its deadline, is ended.
func TestRunLeavesNothing(t *testing.T) {
	if err := adopt(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		script string
		late   bool
	}{{"sleep 600 >/dev/null 2>&1 & exit 0", false}, {"sleep 600 & sleep 601", true}} {
		r := run(command{args: []string{"/bin/sh", "-c", tc.script}, deadline: 500 * time.Millisecond})
		if errors.Is(r.status, errLate) != tc.late {
			t.Errorf("%s: got %v", tc.script, r.status)
		}
		for pid, parent := range parents() {
			if parent == os.Getpid() {
				t.Errorf("%s: process %d is left", tc.script, pid)
			}
		}
	}
}
