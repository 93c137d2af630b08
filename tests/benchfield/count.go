package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// The functions here read what the tools wrote: how many calls of a function they saw, and how many records they say they lost.

var saidLost = regexp.MustCompile(`(?i)lost (\d+)|(\d+) (?:records|events) (?:were )?(?:lost|discarded)|are lost\. \((\d+) times`)

// lostIn adds up what a tool says about losses.
func lostIn(text string) int {
	sum := 0
	for _, m := range saidLost.FindAllStringSubmatch(text, -1) {
		for _, g := range m[1:] {
			n, _ := strconv.Atoi(g)
			sum += n
		}
	}
	return sum
}

// countLines counts the lines with a call of fn: "fn(", as strace, ltrace, perf trace and our bpftrace program
// write it. A call that was interrupted by another thread's has a second line, "<... fn resumed>", which is not counted.
func countLines(r io.Reader, fn function) (count, lost int, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	call := []string{" " + fn.name + "(", ">" + fn.name + "(", " " + fn.name + "@"}
	for {
		line, err := in.ReadString('\n')
		switch {
		case strings.HasPrefix(line, "LOST ") || strings.HasPrefix(line, "Lost "):
			lost += lostIn(line)
		case strings.HasPrefix(line, fn.name+"(") || strings.Contains(line, call[0]) || strings.Contains(line, call[1]) || strings.Contains(line, call[2]):
			if fn.own == "" || strings.Contains(line, ", "+fn.own) || strings.Contains(line, ": "+fn.own) || strings.HasPrefix(line, fn.name+"(") {
				count++
			}
		}
		if err == io.EOF {
			return count, lost, nil
		}
		if err != nil {
			return count, lost, err
		}
	}
}

func countText(file, stderr string, fn function) (int, int, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	count, lost, err := countLines(f, fn)
	return count, lost + lostIn(stderr), err
}

// countUftrace reads `uftrace report -f call`: "calls function" lines.
func countUftrace(report, stderr string, fn function) (int, int, error) {
	for line := range strings.Lines(report) {
		f := strings.Fields(line)
		if len(f) == 2 && f[1] == fn.name {
			n, err := strconv.Atoi(f[0])
			return n, lostIn(stderr), err
		}
	}
	return 0, lostIn(stderr), nil
}

// countCTF counts the entries of fn in babeltrace2's text.
func countCTF(r io.Reader, fn function) (int, error) {
	entry := []string{"field:" + fn.name + "_entry", `function = "` + fn.name + `"`}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	count := 0
	for in.Scan() {
		line := in.Text()
		if strings.Contains(line, entry[0]) || strings.Contains(line, entry[1]) {
			count++
		}
	}
	return count, in.Err()
}

// countLTTng: lttng says how many events were discarded; a call is two.
func countLTTng(dir, stderr string, fn function) (int, int, error) {
	cmd := exec.Command("timeout", "120", "babeltrace2", dir)
	cmd.Env = environ()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return 0, 0, err
	}
	count, err := countCTF(out, fn)
	if e := cmd.Wait(); err == nil {
		err = e
	}
	return count, lostIn(stderr), err
}

// countShared reads what count.c left.
func countShared(file string, fn function) (int, int, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	at, ok := map[string]int{"work_six": 0, "site_call": 8}[fn.name]
	if !ok || len(b) < 16 {
		return 0, 0, fmt.Errorf("count.c does not wrap %s", fn.name)
	}
	return int(binary.LittleEndian.Uint64(b[at:])), 0, nil
}

// countReport reads seam's report. What is dropped of a function's calls is said there.
func countReport(file string, fn function) (int, int, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	var r struct {
		Functions []struct {
			Name           string
			Calls, Dropped int
		}
		Account struct{ Dropped, Unaccounted int }
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return 0, 0, err
	}
	for _, f := range r.Functions {
		if f.Name == fn.name {
			return f.Calls, f.Dropped, nil
		}
	}
	return 0, r.Account.Dropped + r.Account.Unaccounted, nil
}
