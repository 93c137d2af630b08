package control

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seam-project/seam/hooks/yamlfile"
)

func TestConfig(t *testing.T) {
	now := time.Unix(1000, 0)
	got, err := ParseConfig("/f", []byte(`
# what the database does
probes:
  - libc:open*
  - "libc:write if fd == 1"
  - probe: libsqlite3:sqlite3_step slower 5ms
    for: 10m
    calls: 7
hooks: [net]
`), now)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[0].Text != "libc:open*" || got[1].Text != "libc:write if fd == 1" || !got[3].Pack || got[3].Text != "net" {
		t.Fatalf("%+v", got)
	}
	if p := got[2]; p.Calls != 7 || !p.Until.Equal(now.Add(10*time.Minute)) || p.By != "/f" {
		t.Errorf("%+v", p)
	}
	for _, empty := range []string{"", "# nothing\n", "probes:\n", "---\n"} {
		if got, err := ParseConfig("/f", []byte(empty), now); err != nil || len(got) != 0 {
			t.Errorf("%q: %v %v", empty, got, err)
		}
	}
}

// A bad file gives no probes at all, and the place of what is wrong.
func TestConfigErrors(t *testing.T) {
	for _, tc := range []struct{ text, want, hint string }{
		{"probes:\n  - libc:open*\n  - 'libc:open* fi'\n", "/f:3:17: ", ""},
		{"probes:\n  - libc:open* slower 5\n", "/f:2:", ""},
		{"probes:\n  - probe: libc:open*\n    for: soon\n", "/f:3:10: not a time: 'soon'", "a number with a unit: 30s, 10m, 2h"},
		{"probes:\n  - probe: libc:open*\n    fro: 5m\n", "/f:3:5: unknown key 'fro'", "did you mean for?"},
		{"probes:\n  - probe: libc:open*\n    calls: -1\n", "/f:3:12: not a number of calls: '-1'", "a number from 1"},
		{"probes:\n  - for: 5m\n", "/f:2:5: an entry without a probe", "probe: libc:open*"},
		{"probe: libc:open*\n", "/f:1:1: unknown key 'probe'", "did you mean probes?"},
		{"probes: libc:open*\n", "/f:1:9: expected a list, not 'libc:open*'", "begin each entry with '- '"},
		{"probes:\n  - [a, b]\n", "/f:2:5: expected keys and values, not a list", ""},
		{"hooks: [nte]\n", "/f:1:9: unknown pack 'nte'", "did you mean net?"},
		{"hooks: [net]\nhooks: [proc]\n", "/f:2:1: 'hooks' is there twice", ""},
		{"probes:\n\t- libc:open\n", "/f:2: found character that cannot start any token", "indent with blanks, and quote what has ': ' or ' #' in it"},
		{"- libc:open\n", "/f:1:1: expected keys and values, not a list", "the keys are: probes, hooks"},
		{"probes:\n  - libc:a: b\n", "/f:2", ""},
	} {
		got, err := ParseConfig("/f", []byte(tc.text), time.Now())
		e, ok := err.(*yamlfile.Error)
		if !ok || len(got) != 0 {
			t.Errorf("%q: %v, %v", tc.text, got, err)
			continue
		}
		if len(e.Error()) < len(tc.want) || e.Error()[:len(tc.want)] != tc.want {
			t.Errorf("%q:\ngot  %s\nwant %s", tc.text, e, tc.want)
		}
		if tc.hint != "" && e.Hint != tc.hint {
			t.Errorf("%q: hint %q, want %q", tc.text, e.Hint, tc.hint)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("probes:\n  - libc:open*\n  - probe: a:b\n    for: 1s\n    calls: 3\nhooks: [net]\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("probes: !!binary x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		probes, err := ParseConfig("/f", text, time.Unix(0, 0))
		if err != nil && len(probes) != 0 {
			t.Errorf("%q: an error, and probes: %v", text, err)
		}
	})
}

// Editors write over a file, or put another in its place; both are seen.
func TestWatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "probes.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "a")
	w, err := watchFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan bool, 64)
	go func() {
		for {
			ok := w.next()
			seen <- ok
			if !ok {
				return
			}
		}
	}()
	expect := func(what string, want bool) {
		t.Helper()
		select {
		case got := <-seen:
			if got != want {
				t.Errorf("%s: %v", what, got)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: not seen", what)
		}
		for len(seen) > 0 {
			<-seen
		}
	}
	write(file, "b")
	expect("overwritten", true)
	time.Sleep(50 * time.Millisecond)
	for len(seen) > 0 {
		<-seen
	}
	write(file+".new", "c")
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	expect("replaced", true)
	w.close()
	for ok := range seen {
		if !ok {
			break
		}
	}
}
