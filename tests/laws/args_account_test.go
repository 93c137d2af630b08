package laws

import (
	"debug/elf"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

func readArgsReport(t *testing.T, file string) *report {
	t.Helper()
	rep := new(report)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("no report: %v", err)
	}
	if err := json.Unmarshal(b, rep); err != nil {
		t.Fatalf("report: %v", err)
	}
	return rep
}

// newer are functions with prototypes that a libc may lack, and is not wrong to.
var newer = []string{"pidfd_spawn", "pidfd_spawnp", "__libc_fork", "lchmod", "crypt"}

// absent are the functions that this libc does not have: all others were called.
func (f *args) absent(t *testing.T, out string) []string {
	t.Helper()
	var absent []string
	for line := range strings.Lines(out) {
		if name, ok := strings.CutSuffix(line, " is not in this libc\n"); ok {
			absent = append(absent, name)
			if !slices.Contains(newer, name) {
				t.Errorf("%s is not in this libc: has its prototype a wrong name?", name)
			}
		}
	}
	t.Logf("not in this libc: %v", absent)
	for _, h := range argsHooks() {
		if !slices.Contains(absent, h.Name) && !strings.Contains(out, "\n"+h.Name+"#0(") && !strings.HasPrefix(out, h.Name+"#0(") {
			t.Errorf("%s was not called", h.Name)
		}
	}
	return absent
}

// covered checks that the calls were watched at all: a function that was not
// refused has at least as many calls, told or dropped, as were made.
func (f *args) covered(t *testing.T, out string, rep *report, absent []string) {
	t.Helper()
	refused, made, seen := make(map[string]bool), make(map[string]uint64), make(map[string]uint64)
	for _, r := range rep.Refusals {
		for _, n := range r.Names {
			refused[n[strings.LastIndexByte(n, ':')+1:]] = true
		}
	}
	for line := range strings.Lines(out) {
		if name, _, ok := strings.Cut(line, "#"); ok {
			made[f.canonical(name)]++
		}
	}
	for _, fn := range rep.Functions {
		seen[f.canonical(fn.Name)] += fn.Calls + fn.Dropped
	}
	for name, n := range made {
		if seen[name] < n && !slices.ContainsFunc(f.aliases[name], func(a string) bool { return refused[a] }) && !refused[name] {
			t.Errorf("%s was called %d times, %d were seen", name, n, seen[name])
		}
	}
}

// canonical is one name for all names of the same code.
func (f *args) canonical(name string) string {
	if a := f.aliases[name]; len(a) > 0 {
		return a[0]
	}
	return name
}

// aliases maps each name of libc to all names of its code, in order.
func aliases(t *testing.T) map[string][]string {
	t.Helper()
	f, err := elf.Open("/lib/x86_64-linux-gnu/libc.so.6")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	at := make(map[uint64][]string)
	for _, s := range syms {
		if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) == elf.STT_FUNC && !slices.Contains(at[s.Value], s.Name) {
			at[s.Value] = append(at[s.Value], s.Name)
		}
	}
	all := make(map[string][]string)
	for _, names := range at {
		slices.Sort(names)
		for _, n := range names {
			all[n] = append(all[n], names...)
		}
	}
	return all
}
