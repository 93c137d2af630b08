package plan

import (
	"bufio"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

const (
	libc      = "/lib/x86_64-linux-gnu/libc.so.6"
	sqlite    = "/lib/x86_64-linux-gnu/libsqlite3.so.0"
	ssl       = "/lib/x86_64-linux-gnu/libssl.so.3"
	crypto    = "/lib/x86_64-linux-gnu/libcrypto.so.3"
	python3   = "/lib/x86_64-linux-gnu/libpython3.11.so.1.0"
	libstdcpp = "/lib/x86_64-linux-gnu/libstdc++.so.6"
)

// TestDecodeAgreesWithObjdump compares the lengths and the rip-relative
// operands of real code with what objdump, an independent decoder, says. The
// stretches are chosen for their vector code.
func TestDecodeAgreesWithObjdump(t *testing.T) {
	for _, tc := range []struct {
		lib      string
		from, to uint64
	}{
		{libc, 0x26000, 0x46000},   // plain code
		{libc, 0x150000, 0x178000}, // string functions in SSE2, AVX2, EVEX
		{crypto, 0x100000, 0x120000},
	} {
		compareWithObjdump(t, tc.lib, tc.from, tc.to)
	}
}

func compareWithObjdump(t *testing.T, lib string, from, to uint64) {
	t.Helper()
	o, err := Open(lib)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	code := o.text(make([]byte, to-from), from)
	cmd := exec.Command("objdump", "-d", "-w", "--start-address="+strconv.FormatUint(from, 10), "--stop-address="+strconv.FormatUint(to, 10), lib)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	n, bad := 0, 0
	for sc.Scan() {
		f := strings.Split(sc.Text(), "\t")
		if len(f) < 3 {
			continue
		}
		at, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(f[0]), ":"), 16, 64)
		if err != nil || at < from {
			continue
		}
		length := len(strings.Fields(f[1]))
		text := f[2]
		// The last instructions may be cut by the end of the stretch.
		if strings.Contains(text, "(bad)") || at+2*maxInsn > to {
			continue
		}
		n++
		in, ok := decode(code[at-from:])
		rip := strings.Contains(text, "(%rip)")
		switch {
		case ok && in.len == length && in.ripRel == rip:
			continue
		case !ok && unknownByDesign(text):
			continue
		}
		if bad++; bad < 20 {
			t.Errorf("%s: %x: % s %q: decoded %v, length %d, rip-relative %v", lib, at, f[1], text, ok, in.len, in.ripRel)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if n < 1000 {
		t.Fatalf("%s: only %d instructions compared", lib, n)
	}
	t.Logf("%s: %d instructions, %d differ", lib, n, bad)
}

// unknownByDesign: transactions, whose abort address is relative, are not
// moved, so they are not measured either.
func unknownByDesign(text string) bool {
	return strings.HasPrefix(text, "xbegin") || strings.HasPrefix(text, "xabort")
}
