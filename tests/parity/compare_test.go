package parity

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormats(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "cases.xml"), []byte(`<testsuites tests="4"><testsuite tests="4">
<testcase name="test.test_a.A.test_one" status="run" result="completed" time="0.1" />
<testcase name="test.test_a.A.test_two" status="run" result="completed"><skipped>no</skipped></testcase>
<testcase name="test.test_a.A.test_two" status="run" result="completed"><failure>x</failure></testcase>
<testcase name="test.test_a.A.test_three" status="run" result="completed"><error>x</error></testcase>
</testsuite></testsuites>`), 0o600))
	for name, tc := range map[string]struct {
		format format
		text   string
		want   map[string]string
	}{
		"lines": {lines, "= a: b: 1\nnoise\n= empty: \nrate r 12.5\n", map[string]string{"a": "b: 1", "empty": ""}},
		"tap": {tap, "ok 1 - plain\nnot ok 2 - broken\nnot ok 3 - known # TODO known breakage\nok 4 # skip no perl (missing PERL)\nok 5 - plain\n# passed\n1..5\n",
			map[string]string{"plain": "ok", "broken": "not ok", "known": "not ok todo", "no perl (missing PERL)": "ok skip", "plain #2": "ok"}},
		"redis, drawn": {redis, "[ok]: PSYNC2: Set #4 to replicate from #2 (1 ms)\n[err]: PSYNC2: Set #0 to replicate from #1\n[ok]: PSYNC2: Set #4 to replicate from #2\n[ok]: PSYNC2: cluster is consistent after load (x = 1022)\n[ok]: PSYNC2: --- CYCLE 6 ---\n",
			map[string]string{"PSYNC2: Set N to replicate from N": "err ok", "PSYNC2: cluster is consistent after load N": "ok", "PSYNC2: --- N ---": "ok"}},
		"redis": {redis, "\x1b[0;32m[ok]\x1b[0m: SET and GET (3 ms)\n[err]: broken in tests/unit/a.tcl\n[testing]: unit/a\n",
			map[string]string{"SET and GET": "ok", "broken in tests/unit/a.tcl": "err"}},
		"pg_regress": {pgRegress, "test tablespace                   ... ok          200 ms\nparallel group (2 tests):  a b\n     boolean                      ... FAILED       22 ms\n",
			map[string]string{"tablespace": "ok", "boolean": "FAILED"}},
		"junit": {junit, "", map[string]string{"test.test_a.A.test_one": "ok", "test.test_a.A.test_two": "skipped",
			"test.test_a.A.test_two #2": "failed", "test.test_a.A.test_three": "error"}},
	} {
		out := outcome{map[string]string{}, map[string]float64{}}
		if err := tc.format(&out, tc.text, dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, out.cases); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if name == "lines" && out.rates["r"] != 12.5 {
			t.Errorf("rates: %v", out.rates)
		}
	}
}

func TestDifferences(t *testing.T) {
	runs := func(how ...string) (list []*side) {
		for _, h := range how {
			cases := map[string]string{"same": "ok"}
			if h != "" {
				cases["case"] = h
			}
			list = append(list, &side{outcome: outcome{cases: cases}})
		}
		return
	}
	for _, tc := range []struct {
		plain, seam []*side
		want        []Difference
	}{
		{runs("ok"), runs("ok"), nil},
		{runs("failed"), runs("failed"), nil},
		{runs("ok"), runs("failed"), []Difference{{"u", "case", "1× ok", "1× failed", false}}},
		{runs("ok", "ok"), runs("failed", "ok"), []Difference{{"u", "case", "2× ok", "1× failed, 1× ok", false}}},
		{runs("ok", "failed"), runs("failed", "failed"), []Difference{{"u", "case", "1× failed, 1× ok", "2× failed", true}}},
		{runs("ok"), runs(""), []Difference{{"u", "case", "1× ok", "1× absent", false}}},
		{runs("failed", "ok"), runs("ok", "ok"), []Difference{{"u", "case", "1× failed, 1× ok", "2× ok", true}}},
	} {
		if diff := cmp.Diff(tc.want, differences("u", tc.plain, tc.seam)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}
