// Command benchfield measures seam and the other tools of its field, interleaved in one run, on the same
// programs, and says what each lost.
//
//	go run ./tests/benchfield -write                    all sections, then docs/benchmarks.md and .json
//	go run ./tests/benchfield -only calls,startup       some; each leaves its part, so that a run can be resumed
//	go run ./tests/benchfield -only none -write         the documents, from the parts that are there
//	go run ./tests/benchfield -quick                    one round, tiny: does it run
//
// The peers come from Debian's packages (packages.txt). One that does not work here gets a row with its own message.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seam-project/seam/tests/measure"
)

type bench struct {
	seam, dir string
	bpftrace  string
	rounds    int
	quick     bool
	part      *Part
	lttngd    lttngd
	broken    map[string]string // tool → why, in the section under way
}

var sections = []struct {
	name string
	run  func(*bench) error
}{
	{"calls", (*bench).calls},
	{"programs", (*bench).wholePrograms},
	{"startup", (*bench).startup},
	{"losses", (*bench).losses},
	{"sites", (*bench).sitesSeen},
	{"growth", (*bench).growth},
}

func main() {
	seam := flag.String("seam", "bin/seam", "the seam to measure")
	quick := flag.Bool("quick", false, "one round, tiny: does it run")
	only := flag.String("only", "", "sections, comma-separated; none: just -write")
	rounds := flag.Int("rounds", 7, "rounds of each section")
	parts := flag.String("parts", "bin/field", "folder for what the sections found")
	write := flag.Bool("write", false, "write docs/benchmarks.md and docs/benchmarks.json from the parts")
	bpf := flag.String("bpftrace", "/usr/bin/bpftrace", "the bpftrace to measure")
	flag.Parse()
	if err := all(*seam, *bpf, *quick, *only, *rounds, *parts, *write); err != nil {
		fmt.Fprintf(os.Stderr, "benchfield: %v\n", err)
		os.Exit(1)
	}
}

func all(seam, bpf string, quick bool, only string, rounds int, parts string, write bool) (err error) {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	wanted := names
	if only == "none" {
		wanted = nil
	} else if only != "" {
		wanted = strings.Split(only, ",")
		for _, w := range wanted {
			if !slices.Contains(names, w) {
				return fmt.Errorf("no section %q; there are %s", w, strings.Join(names, ", "))
			}
		}
	}
	if len(wanted) > 0 {
		b, err := prepare(seam, bpf, quick, rounds)
		if err != nil {
			return err
		}
		defer os.RemoveAll(b.dir)
		defer b.lttngEnd()
		for _, s := range sections {
			if !slices.Contains(wanted, s.name) {
				continue
			}
			b.begin(s.name)
			began := time.Now()
			if err := s.run(b); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			b.part.Seconds = time.Since(began).Seconds()
			if err := b.part.save(parts); err != nil {
				return err
			}
			fmt.Print(markdown(b.part))
		}
	}
	if write {
		return writeDocs(parts, names)
	}
	return nil
}

func prepare(seam, bpf string, quick bool, rounds int) (*bench, error) {
	abs, err := filepath.Abs(seam)
	if err != nil {
		return nil, err
	}
	if err := adopt(); err != nil {
		return nil, err
	}
	// Not below TMPDIR as it is: socket paths must be short.
	dir, err := os.MkdirTemp("/tmp", "seam-field-")
	if err != nil {
		return nil, err
	}
	b := &bench{seam: abs, dir: dir, bpftrace: bpf, rounds: rounds, quick: quick}
	if quick {
		b.rounds = 1
	}
	lib, err := os.ReadFile(libsqlite)
	if err == nil {
		err = os.WriteFile(b.path(sqliteName), lib, 0o755)
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	shared, data := "tests/bench/testdata/", "tests/benchfield/testdata/"
	for _, c := range []struct {
		needed bool
		args   []string
	}{
		{true, []string{"-shared", "-fPIC", "-o", b.path("libwork.so"), shared + "work.c"}},
		{true, []string{"-shared", "-fPIC", "-o", b.path("byhand.so"), shared + "byhand.c"}},
		{true, []string{"-shared", "-fPIC", "-o", b.path("empty.so"), shared + "empty.c"}},
		{true, []string{"-o", b.path("spawn"), shared + "spawn.c"}},
		{true, []string{"-shared", "-fPIC", "-o", b.path("count.so"), data + "count.c"}},
		{true, []string{"-shared", "-fPIC", "-o", b.path("plugin.so"), data + "plugin.c"}},
		{true, []string{"-o", b.path("field"), data + "field.c", b.path("libwork.so"), b.path(sqliteName), "-Wl,-rpath," + dir, "-pthread"}},
		{false, []string{"-shared", "-fPIC", "-I" + data, "-o", b.path("lttngwrap.so"), data + "lttngwrap.c", "-llttng-ust"}},
	} {
		if out, err := exec.Command("gcc", append([]string{"-O2"}, c.args...)...).CombinedOutput(); err != nil && c.needed {
			os.RemoveAll(dir)
			return nil, fmt.Errorf("compile: %w\n%s", err, out)
		}
	}
	return b, nil
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// begin makes the section's part.
func (b *bench) begin(section string) {
	load, _ := os.ReadFile("/proc/loadavg")
	b.broken = map[string]string{}
	b.part = &Part{Section: section, When: time.Now().UTC().Format(time.RFC3339), Machine: measure.Machine(), Load: strings.TrimSpace(string(load)),
		Rounds: b.rounds, Quick: b.quick, Versions: versions(b.seam), Commands: map[string]string{}}
	fmt.Fprintf(os.Stderr, "== %s\n", section)
}

// use notes how a tool is run, for the document.
func (b *bench) use(tools ...tool) []tool {
	for _, t := range tools {
		b.part.Commands[t.name] = t.how
	}
	return tools
}

// failed notes that a tool does not work here. seam must.
func (b *bench) failed(t tool, err error) error {
	if strings.HasPrefix(t.name, "seam") || t.name == plain.name {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", t.name, err)
	b.broken[t.name] = strings.ReplaceAll(err.Error(), "\n", " / ")
	return nil
}

// versions are those of the tools, by Debian's packages.
func versions(seam string) map[string]string {
	v := map[string]string{}
	r := run(command{args: []string{seam, "--version"}})
	v["seam"] = strings.TrimSpace(r.out)
	list, _ := os.ReadFile("tests/benchfield/packages.txt")
	r = run(command{args: append([]string{"dpkg-query", "-W", "-f", "${Package} ${Version}\n", "libc6"}, strings.Fields(string(list))...)})
	for line := range strings.Lines(r.out) {
		if f := strings.Fields(line); len(f) == 2 {
			v[f[0]] = f[1]
		}
	}
	return v
}
