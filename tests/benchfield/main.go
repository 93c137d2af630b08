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
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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
	ours      error             // the last of seam's own failures in it
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
		b, e := prepare(seam, bpf, quick, rounds)
		if e != nil {
			return e
		}
		defer os.RemoveAll(b.dir)
		defer b.lttngEnd()
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
		go func() {
			<-interrupted
			endAll()
			os.RemoveAll(b.dir)
			os.Exit(130)
		}()
		for _, s := range sections {
			if !slices.Contains(wanted, s.name) {
				continue
			}
			b.begin(s.name)
			began := time.Now()
			if e := s.run(b); e != nil {
				// The others may still be measured; the old part stays.
				err = errors.Join(err, fmt.Errorf("%s: %w", s.name, e))
				continue
			}
			b.part.Seconds = time.Since(began).Seconds()
			if e := b.part.save(parts); e != nil {
				return errors.Join(err, e)
			}
			err = errors.Join(err, b.ours)
			fmt.Print(markdown(b.part))
		}
	}
	if write {
		err = errors.Join(err, writeDocs(parts, names))
	}
	return err
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
	os.Setenv(lttngHome, dir)
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
	text, _ := os.ReadFile("/proc/loadavg")
	load := strings.Join(strings.Fields(string(text))[:min(3, len(strings.Fields(string(text))))], " ")
	b.broken, b.ours = map[string]string{}, nil
	b.part = &Part{Section: section, When: time.Now().UTC().Format(time.RFC3339), Machine: measure.Machine(), Load: load,
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

// failed notes that a tool does not work here; it takes no part any more. That of seam's is shown as that
// of others, and is an error in the end. The plain program must work.
func (b *bench) failed(t tool, err error) error {
	if strings.HasPrefix(t.name, "seam") {
		b.ours = fmt.Errorf("%s: %w", t.name, err)
	}
	if t.name == plain.name {
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
