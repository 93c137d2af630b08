package laws

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// What is recorded of a string is what the call got: of every length, up to the last byte that
// can be read, with bytes of all kinds, in the argument and among as many others as
// the assembly tells apart.
func TestStrings(t *testing.T) {
	exe := program(t, "strings.c", "-rdynamic")
	probes := with(p(exe+":first", exe+":second", exe+":wide"), "--on-full", "block", "--live", "-H", "none",
		"--proto", "long first(const char *s)", "--proto", "long second(long a, const char *s)",
		"--proto", "long wide(const char *s, long b, long c, long d, long e, long f)")
	res, rep := watchedCmd(t, probes, harness.Cmd{Args: []string{exe}})
	if res.Code != 0 {
		t.Fatalf("a call's result was not the function's: %v", res)
	}
	rep.exact(t)
	type told struct{ name, status, text string }
	var got []told
	for line := range strings.Lines(res.Stderr) {
		var e struct {
			Type, Name string
			Args       struct{ S json.RawMessage }
		}
		if json.Unmarshal([]byte(line), &e) != nil || e.Type != "call" {
			continue
		}
		c := told{name: e.Name, status: "whole"}
		if json.Unmarshal(e.Args.S, &c.text) != nil {
			var s struct{ Status, Value string }
			if err := json.Unmarshal(e.Args.S, &s); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			c.status, c.text = s.Status, s.Value
		}
		got = append(got, c)
	}
	calls := strings.Split(strings.TrimSuffix(res.Stdout, "\n"), "\n")
	if len(got) != len(calls) || len(calls) < 4000 {
		t.Fatalf("%d calls, %d were told", len(calls), len(got))
	}
	for i, call := range calls {
		f := strings.Split(call, " ")
		text, err := hex.DecodeString(f[2])
		if err != nil {
			t.Fatal(err)
		}
		j, _ := json.Marshal(string(text)) // as it goes through JSON: what is not UTF-8 is replaced
		want := told{name: f[0], status: f[1]}
		json.Unmarshal(j, &want.text)
		if want.status == "either" {
			want.status = got[i].status
		}
		if got[i] != want {
			t.Fatalf("call %d of %d bytes: got %+v, want %+v", i, len(text), got[i], want)
		}
	}
}
