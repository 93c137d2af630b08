package parity

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// format reads what a unit printed or left in its folder: cases with their
// outcomes, and rates.
type format func(out *outcome, stdout, dir string) error

// outcome is how one side of a unit went.
type outcome struct {
	cases map[string]string
	rates map[string]float64
}

// add notes a case. Names that come more than once are numbered.
func (o *outcome) add(name, how string) {
	key := name
	for n := 2; ; n++ {
		if _, ok := o.cases[key]; !ok {
			break
		}
		key = fmt.Sprintf("%s #%d", name, n)
	}
	o.cases[key] = how
}

// fold notes a case that comes any number of times: the outcomes it has had.
func (o *outcome) fold(name, how string) {
	seen := strings.Fields(o.cases[name])
	if !slices.Contains(seen, how) {
		seen = append(seen, how)
		slices.Sort(seen)
	}
	o.cases[name] = strings.Join(seen, " ")
}

// lines are the suites that say "= CASE: OUTCOME" and "rate NAME NUMBER".
func lines(out *outcome, stdout, _ string) error {
	for line := range strings.Lines(stdout) {
		line = strings.TrimSpace(line)
		if c, ok := strings.CutPrefix(line, "= "); ok {
			// The name may have a colon too, but none with a blank after it.
			name, how, ok := strings.Cut(c, ": ")
			if !ok {
				name, how = strings.TrimSuffix(c, ":"), ""
			}
			out.add(name, how)
		} else if f := strings.Fields(line); len(f) == 3 && f[0] == "rate" {
			v, err := strconv.ParseFloat(f[2], 64)
			if err != nil {
				return fmt.Errorf("read %q: %w", line, err)
			}
			out.rates[f[1]] = v
		}
	}
	return nil
}

// tapLine is a result in the Test Anything Protocol, as git's tests speak it.
var tapLine = regexp.MustCompile(`^(ok|not ok) \d+ ?(?:- )?(.*?) ?(?:# (TODO|SKIP|skip)\b ?(.*))?$`)

func tap(out *outcome, stdout, _ string) error {
	for line := range strings.Lines(stdout) {
		line = strings.TrimRight(line, "\n")
		if m := tapLine.FindStringSubmatch(line); m != nil {
			how := m[1]
			if m[3] != "" {
				how += " " + strings.ToLower(m[3])
			}
			// git writes what was skipped behind the word.
			out.add(cmp.Or(m[2], m[4]), how)
		} else if strings.HasPrefix(line, "1..0") {
			out.add("(all)", "skip")
		}
	}
	return nil
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")
var redisLine = regexp.MustCompile(`^\[(ok|err|skip|ignore|exception)\]:? (.*)$`)
var redisTime = regexp.MustCompile(` \(\d+ ms\)$`)

// redisDrawn is what the psync2 units draw anew in each run, and have in the names of
// their cases: which server follows which, and how much was written meanwhile.
// How often they do it depends on the time it takes.
var redisDrawn = regexp.MustCompile(`#\d+|CYCLE \d+|\(x = \d+\)`)

func redis(out *outcome, stdout, _ string) error {
	for line := range strings.Lines(colour.ReplaceAllString(stdout, "")) {
		m := redisLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		name := redisTime.ReplaceAllString(m[2], "")
		if strings.HasPrefix(name, "PSYNC2: ") {
			out.fold(redisDrawn.ReplaceAllString(name, "N"), m[1])
		} else {
			out.add(name, m[1])
		}
	}
	return nil
}

var pgLine = regexp.MustCompile(`^(?:test )?\s*(\S+)\s+\.\.\. (ok|FAILED|failed \(ignored\))`)

// pgRegress is pg_regress's list; pgbench's part is lines.
func pgRegress(out *outcome, stdout, dir string) error {
	for line := range strings.Lines(stdout) {
		if m := pgLine.FindStringSubmatch(line); m != nil {
			out.add(m[1], m[2])
		}
	}
	return lines(out, stdout, dir)
}

// pyModule is what python3 -m test says of a module.
var pyModule = regexp.MustCompile(`(?m)^(test_\w+) (skipped|failed|crashed|passed)`)

// junit is what python3 -m test --junit-xml leaves, and its word on the module.
func junit(out *outcome, stdout, dir string) error {
	for _, m := range pyModule.FindAllStringSubmatch(stdout, -1) {
		out.add(m[1], m[2])
	}
	b, err := os.ReadFile(filepath.Join(dir, "cases.xml"))
	if os.IsNotExist(err) {
		out.add("cases.xml", "absent")
		return nil
	} else if err != nil {
		return err
	}
	var all struct {
		Suites []struct {
			Cases []struct {
				Name    string    `xml:"name,attr"`
				Skipped *struct{} `xml:"skipped"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("read cases.xml: %w", err)
	}
	for _, s := range all.Suites {
		for _, c := range s.Cases {
			how := "ok"
			switch {
			case c.Error != nil:
				how = "error"
			case c.Failure != nil:
				how = "failed"
			case c.Skipped != nil:
				how = "skipped"
			}
			out.add(c.Name, how)
		}
	}
	return nil
}
