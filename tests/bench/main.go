// Command bench measures seam on this machine, side by side in one run, and
// prints a table. Ratios are what to read: machines are shared and noisy.
//
//	go run ./tests/bench            all
//	go run ./tests/bench -quick     compiles and runs everything once, for CI
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seam-project/seam/tests/measure"
)

func main() {
	seam := flag.String("seam", "bin/seam", "the seam to measure")
	quick := flag.Bool("quick", false, "one round, small: does it run")
	only := flag.String("only", "", "one part: startup, of /bin/true; startup1000, the start with a thousand probes; callback, the round trip to a Go callback; sustained, calls per second to the report")
	flag.Parse()
	b, err := prepare(*seam, *quick)
	if err == nil {
		defer os.RemoveAll(b.dir)
		parts := map[string]func() error{"": b.all, "startup": b.startUp, "startup1000": b.many, "callback": b.callback, "sustained": b.sustained}
		part := parts[*only]
		switch {
		case part == nil:
			err = fmt.Errorf("no part %q", *only)
		case *only != "":
			fmt.Println(measure.Machine())
			fallthrough
		default:
			err = part()
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

type bench struct {
	seam, dir string
	rounds    int
	spawns    int
	sustain   int
}

func prepare(seam string, quick bool) (*bench, error) {
	abs, err := filepath.Abs(seam)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "seam-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{seam: abs, dir: dir, rounds: 5, spawns: 200, sustain: 10_000_000}
	if quick {
		b.rounds, b.spawns, b.sustain = 1, 10, 200_000
	}
	src := "tests/bench/testdata/"
	for _, args := range [][]string{
		{"-shared", "-fPIC", "-o", b.path("libwork.so"), src + "work.c"},
		{"-shared", "-fPIC", "-o", b.path("byhand.so"), src + "byhand.c", "-ldl"},
		{"-shared", "-fPIC", "-o", b.path("empty.so"), src + "empty.c"},
		{"-shared", "-fPIC", "-Ihooks/native", "-o", b.path("callbacks.so"), src + "callbacks.c"},
		{"-o", b.path("calls"), src + "calls.c", b.path("libwork.so"), "-pthread"},
		{"-o", b.path("spawn"), src + "spawn.c"},
	} {
		if out, err := exec.Command("gcc", append([]string{"-O2"}, args...)...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("compile: %w\n%s", err, out)
		}
	}
	return b, nil
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) all() error {
	fmt.Println(measure.Machine())
	if err := b.calls(1); err != nil {
		return err
	}
	if err := b.calls(2); err != nil {
		return err
	}
	if err := b.startUp(); err != nil {
		return err
	}
	if err := b.sustained(); err != nil {
		return err
	}
	if err := b.callback(); err != nil {
		return err
	}
	return b.many()
}

// run starts a command and returns what it printed on stdout.
func run(env []string, args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}

// ring is the size of the hand-written one's: without a reader seam goes round
// in its buffer as that does in its ring.
const ring = "256KiB"

func (b *bench) probes() []string {
	lib := b.path("libwork.so")
	return []string{"-p", lib + ":work_six", "-p", "libc:getenv", "-p", lib + ":work_count@count",
		"-p", lib + ":work_hist@hist", "-p", lib + ":work_filtered if 0 == -99",
		// armed rules that do not act: one whose condition does not hold, one that draws
		"-p", lib + ":work_ruled", "--fault", lib + ":work_ruled:ret=-1,1==77",
		"-p", lib + ":work_chance", "--fault", lib + ":work_chance:ret=-1,p=1e-12,seed=1",
		"-p", lib + ":work_break", "--break", lib + ":work_break:1==77",
		"-p", lib + ":work_native", "-p", lib + ":work_after", "-p", lib + ":work_vectors", "--native", b.path("callbacks.so")}
}

// calls is the cost of one call, added to that of the plain one.
func (b *bench) calls(threads int) error {
	n := strconv.Itoa(threads)
	ways := []struct {
		name string
		env  []string
		args []string
	}{
		{"plain", nil, []string{b.path("calls"), "burst", n}},
		{"byhand", []string{"LD_PRELOAD=" + b.path("byhand.so")}, []string{b.path("calls"), "burst", n}},
		{"seam", nil, append(append([]string{b.seam, "run", "-q"}, b.probes()...), "--", b.path("calls"), "burst", n)},
		{"alone", nil, append(append([]string{b.seam, "run", "-q", "--start", "never", "--buffer", ring}, b.probes()...), "--", b.path("calls"), "burst", n)},
	}
	got := map[string][]float64{}  // "way kind" → the runs' medians
	best := map[string][]float64{} // … → the runs' quietest bursts
	for range b.rounds {
		for _, w := range ways {
			out, err := run(w.env, w.args...)
			if err != nil {
				return err
			}
			for line := range strings.Lines(out) {
				f := strings.Fields(line)
				var v [2]float64
				for i := range v {
					if v[i], err = strconv.ParseFloat(f[i+1], 64); err != nil {
						return err
					}
				}
				key := w.name + " " + f[0]
				got[key], best[key] = append(got[key], v[0]), append(best[key], v[1])
			}
		}
	}
	med := func(way, kind string) float64 { return measure.Median(got[way+" "+kind]) }
	added := func(way, kind string) float64 { return med(way, kind) - med("plain", kind) }
	cell := func(way, kind string) string {
		v := got[way+" "+kind]
		return fmt.Sprintf("%6.1f (%.1f-%.1f)", added(way, kind), slices.Min(v)-med("plain", kind), slices.Max(v)-med("plain", kind))
	}
	fmt.Printf("\nadded per call, %d thread(s), ns: median of %d runs of 300 bursts (min-max of the runs)\n", threads, b.rounds)
	fmt.Printf("  %-48s %-22s %s\n", "", "nobody reads", "agent drains, other CPU")
	fmt.Printf("  %-48s %s\n", fmt.Sprintf("written by hand (plain call: %.1f)", med("plain", "six")), cell("byhand", "six"))
	fmt.Printf("  %-48s %s\n", fmt.Sprintf("by hand, getenv (plain call: %.1f)", med("plain", "string")), cell("byhand", "string"))
	for _, r := range []struct{ name, kind string }{
		{"seam, the same: 6 integers, return, errno", "six"},
		{"seam, getenv with a 32-byte string", "string"},
		{"seam, count", "count"},
		{"seam, filtered out", "filtered"},
		{"seam, hist", "hist"},
		{"seam, 6 integers, a rule that does not match", "ruled"},
		{"seam, 6 integers, a rule that matches and draws", "chance"},
		{"seam, 6 integers, a breakpoint that does not match", "break"},
		{"seam, not probed", "plain"},
	} {
		fmt.Printf("  %-48s %-22s %s\n", r.name, cell("alone", r.kind), cell("seam", r.kind))
	}
	fmt.Println("  over the same by hand (nobody reads / agent drains):")
	for _, k := range []struct{ name, kind, hand string }{
		{"recorded", "six", "six"}, {"with a string", "string", "string"}, {"with a string, over 6 integers by hand", "string", "six"},
	} {
		quiet := func(way, kind string) float64 {
			return slices.Min(best[way+" "+kind]) - slices.Min(best["plain "+kind])
		}
		hand, quietHand := added("byhand", k.hand), quiet("byhand", k.hand)
		fmt.Printf("    %-46s medians %.2f / %.2f, quietest bursts %.2f / %.2f\n", k.name,
			added("alone", k.kind)/hand, added("seam", k.kind)/hand, quiet("alone", k.kind)/quietHand, quiet("seam", k.kind)/quietHand)
	}
	fmt.Println("  armed rules and callbacks over the recorded call, ns (quietest bursts; nobody reads / agent drains):")
	for _, k := range []struct{ name, kind string }{{"does not match", "ruled"}, {"matches, and draws", "chance"}, {"a breakpoint that does not match", "break"},
		{"native callback before", "native"}, {"native callback after", "after"}, {"native callback that uses vector registers", "vectors"}} {
		over := func(way string) float64 { return slices.Min(best[way+" "+k.kind]) - slices.Min(best[way+" six"]) }
		fmt.Printf("    %-46s %.1f / %.1f\n", k.name, over("alone"), over("seam"))
	}
	return nil
}

// startUp is what is added to a program that does nothing.
func (b *bench) startUp() error {
	ways := []struct {
		name string
		run  func() (string, error)
	}{
		{"plain", func() (string, error) { return b.spawn(nil) }},
		{"an empty preload", func() (string, error) { return b.spawn([]string{"SPAWN_ENV_LD_PRELOAD=" + b.path("empty.so")}) }},
		{"seam, no probe matches", func() (string, error) { return b.spawnUnder("-p", "libnone:none") }},
		{"seam, the default packs", func() (string, error) { return b.spawnUnder() }},
		{"seam, the default packs, Go started, no reader", func() (string, error) { return b.spawnAlone("--start", "now") }},
		{"seam, the default packs, Go started, a reader", func() (string, error) { return b.spawnUnder("--start", "now") }},
		{"  and waited for: there is a rule", func() (string, error) {
			return b.spawnUnder("--start", "now", "--delay", "libc:getppid:1ms")
		}},
	}
	got, cpu := make([][]float64, len(ways)), make([][]float64, len(ways))
	for range b.rounds {
		for i, w := range ways {
			out, err := w.run()
			if err != nil {
				return err
			}
			var wall, least, busy float64
			if _, err := fmt.Sscan(out, &wall, &least, &busy); err != nil {
				return fmt.Errorf("spawn printed %q: %w", out, err)
			}
			got[i], cpu[i] = append(got[i], wall), append(cpu[i], busy)
		}
	}
	fmt.Printf("\nstart-up of /bin/true, ms (median of %d runs of %d; min-max of the runs; its processor time; Go starts beside a program that only records)\n", b.rounds, b.spawns)
	for i, w := range ways {
		fmt.Printf("  %-48s %7.3f   added %6.3f   (%.3f-%.3f)   CPU %6.3f   added %6.3f\n", w.name, measure.Median(got[i]), measure.Median(got[i])-measure.Median(got[0]),
			slices.Min(got[i]), slices.Max(got[i]), measure.Median(cpu[i]), measure.Median(cpu[i])-measure.Median(cpu[0]))
	}
	return nil
}

func (b *bench) spawn(env []string) (string, error) {
	return run(env, b.path("spawn"), strconv.Itoa(b.spawns), "/bin/true")
}

// spawnAlone measures with nobody at the socket.
func (b *bench) spawnAlone(flags ...string) (string, error) {
	env, err := b.injected(b.path("nobody"), flags)
	if err != nil {
		return "", err
	}
	return b.spawn(env)
}

// spawnUnder measures with a reader: seam listen, and the environment for it.
func (b *bench) spawnUnder(flags ...string) (string, error) {
	socket := b.path("s")
	listen := exec.Command(b.seam, "listen", "--socket", socket, "--json")
	if err := listen.Start(); err != nil {
		return "", err
	}
	defer func() {
		listen.Process.Signal(os.Interrupt)
		listen.Wait()
	}()
	for i := 0; i < 200; i++ {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	env, err := b.injected(socket, flags)
	if err != nil {
		return "", err
	}
	return b.spawn(env)
}

// injected is what seam env prints, for testdata/spawn.c to hand on. The reader is one
// that adopts, as that of seam run: a process that ends does not wait for it.
func (b *bench) injected(socket string, flags []string) ([]string, error) {
	text, err := run(nil, append([]string{b.seam, "env", "--format", "env-file", "--socket", socket}, flags...)...)
	if err != nil {
		return nil, err
	}
	env := []string{"SPAWN_ENV_SEAM_READER=seam"}
	for line := range strings.Lines(text) {
		env = append(env, "SPAWN_ENV_"+strings.TrimSpace(line))
	}
	return env, nil
}

// sustained is how many calls a second one busy thread gets through to the
// report, without a drop.
func (b *bench) sustained() error {
	fmt.Printf("\none busy thread, block mode, %d calls of 6 integers, from the target to the report\n", b.sustain)
	for _, how := range []struct {
		name  string
		flags []string
		save  bool
	}{{"seam run", nil, false}, {"the same, -o FILE", nil, true}, {"--drain agent", []string{"--drain", "agent"}, false}, {"the same, -o FILE", []string{"--drain", "agent"}, true}} {
		save := how.save
		report := b.path("report.json")
		args := []string{b.seam, "run", "--json", "--report", report, "--on-full", "block", "--block-timeout", "10s", "-p", b.path("libwork.so") + ":work_six"}
		args = append(args, how.flags...)
		if save {
			args = append(args, "-o", b.path("capture"))
		}
		args = append(args, "--", b.path("calls"), "sustain", strconv.Itoa(b.sustain))
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("sustain: %w", err)
		}
		var perCall, mine, process float64
		if _, err := fmt.Sscan(string(out), &perCall, &mine, &process); err != nil {
			return err
		}
		total := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		acc, err := measure.Account(report)
		if err != nil {
			return err
		}
		perM := 1e6 / float64(b.sustain)
		fmt.Printf("  %-18s %5.2f M calls/s; produced %d, delivered %d, dropped %d\n", how.name, 1e3/perCall, acc.Produced, acc.Delivered, acc.Dropped)
		fmt.Printf("  %-18s CPU per million calls: agent %.0f ms, seam run %.0f ms", "", (process-mine)*1e3*perM, (total.Seconds()-process)*1e3*perM)
		if st, err := os.Stat(b.path("capture")); save && err == nil {
			fmt.Printf("; %.1f bytes per event", float64(st.Size())/float64(b.sustain))
		}
		fmt.Println()
	}
	return nil
}
