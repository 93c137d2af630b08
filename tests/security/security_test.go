package security

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seam-project/seam/collector/report"
	"github.com/seam-project/seam/hooks/policy"
	"github.com/seam-project/seam/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const deadline = 30 * time.Second

// site is the application's folder, and the servers that it may, and may not, talk to.
type site struct {
	dir              string
	friend, internal *httptest.Server
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	serve := func(text string) *httptest.Server {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }))
		t.Cleanup(srv.Close)
		return srv
	}
	s.friend, s.internal = serve("weather"), serve("metadata-token")
	if err := os.Mkdir(filepath.Join(s.dir, "files"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"files/a.txt": "A", "files/b.txt": "B", "files/c.txt": "C", "files/d.txt": "D", "secret.txt": "top-secret"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.txt", filepath.Join(s.dir, "files/link.txt")); err != nil {
		t.Fatal(err)
	}
	res := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "python3"), "-c", `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE users(name, age, password)")
db.execute("INSERT INTO users VALUES('ann', 33, 'hunter2'), ('bob', 44, 'pa55')")
db.commit()`, filepath.Join(s.dir, "users.db")}})
	if res.Code != 0 {
		t.Fatal(res)
	}
	return s
}

// run starts the application under seam, has f use it, and returns the report. Without flags it runs plain.
func (s *site) run(t *testing.T, flags []string, f func(base string)) *report.Report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	args := []string{harness.Program(t, "python3"), filepath.Join(harness.Root(), "tests/security/testdata/app.py"), s.dir}
	if flags != nil {
		args = slices.Concat([]string{harness.Seam(t), "run", "--json", "--report", file}, flags, []string{"--"}, args)
	}
	p := harness.Start(t, harness.Cmd{Args: args, Dir: "/", Deadline: deadline})
	port := 0
	for end := time.Now().Add(deadline); port == 0; time.Sleep(10 * time.Millisecond) {
		if n, _ := fmt.Sscanf(p.Stdout(), "port %d\n", &port); n == 1 {
			break
		}
		select {
		case <-p.Done():
			t.Fatalf("the application did not start: %v", p.Wait())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("no port: %q %q", p.Stdout(), p.Stderr())
		}
	}
	f(fmt.Sprintf("http://127.0.0.1:%d", port))
	p.Signal(syscall.SIGINT)
	if res := p.Wait(); res.Code != 0 || res.Stderr != "" {
		t.Errorf("the application: %v", res)
	}
	if flags == nil {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := new(report.Report)
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatal(err)
	}
	if a := r.Account; a.Produced != a.Delivered+a.Dropped || a.Unaccounted != 0 {
		t.Errorf("account %+v", a)
	}
	return r
}

// get is the status and the body of one request.
func get(t *testing.T, base, path, key, value string) (int, string) {
	t.Helper()
	c := http.Client{Timeout: deadline}
	res, err := c.Get(base + path + "?" + url.Values{key: {value}}.Encode())
	if err != nil {
		t.Fatalf("%s %s: %v", path, value, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// request is one that is benign, or, if leaks is not "", an attack that shows this text
// when it succeeds.
type request struct {
	name, path, key, value string
	want                   string
	leaks                  string
	status                 int    // of a refused one
	rule                   string // that refuses it
}

func (s *site) benign() []request {
	return []request{
		{name: "ping", path: "/ping", key: "host", value: "localhost", want: "pong localhost\n"},
		{name: "file", path: "/file", key: "name", value: "a.txt", want: "A"},
		{name: "file b", path: "/file", key: "name", value: "b.txt", want: "B"},
		{name: "file c", path: "/file", key: "name", value: "../files/c.txt", want: "C"},
		{name: "user", path: "/user", key: "name", value: "ann", want: "[('ann', 33)]"},
		{name: "fetch", path: "/fetch", key: "url", value: s.friend.URL, want: "weather"},
	}
}

func (s *site) attacks() []request {
	return []request{
		{name: "command", path: "/ping", key: "host", value: "x; /usr/bin/id", leaks: "uid=", status: 500, rule: "execve:"},
		{name: "command that reads", path: "/ping", key: "host", value: "x; read l <" + s.dir + "/secret.txt; echo $l", leaks: "top-secret", status: 200, rule: "names"}, // of a shell that goes on
		{name: "traversal", path: "/file", key: "name", value: "../secret.txt", leaks: "top-secret", status: 403, rule: "names"},
		{name: "absolute name", path: "/file", key: "name", value: "/etc/group", leaks: "root:", status: 403, rule: "names"},
		{name: "traversal by a link", path: "/file", key: "name", value: "link.txt", leaks: "top-secret", status: 403, rule: "names"},
		{name: "statement", path: "/user", key: "name", value: "x' OR '1'='1", leaks: "bob", status: 500, rule: "sql"},
		{name: "second table", path: "/user", key: "name", value: "x' UNION SELECT password, 1 FROM users --", leaks: "hunter2", status: 500, rule: "sql"},
		{name: "forged request", path: "/fetch", key: "url", value: s.internal.URL, leaks: "metadata-token", status: 500, rule: "connect:"},
		{name: "forged file request", path: "/fetch", key: "url", value: "file://" + s.dir + "/secret.txt", leaks: "top-secret", status: 500, rule: "names"},
	}
}

// later are benign requests that the learning run has not seen as such.
func (s *site) later() []request {
	return []request{
		{name: "another file", path: "/file", key: "name", value: "d.txt", want: "D"},
		{name: "another user", path: "/user", key: "name", value: "bob", want: "[('bob', 44)]"},
		{name: "another host", path: "/ping", key: "host", value: "example.com", want: "pong example.com\n"},
	}
}

func expect(t *testing.T, base string, list []request) {
	t.Helper()
	for _, q := range list {
		if status, body := get(t, base, q.path, q.key, q.value); status != 200 || body != q.want {
			t.Errorf("%s: %d %q, want %q", q.name, status, body, q.want)
		}
	}
}

// acted is how often rules with this in their text acted.
func acted(r *report.Report, rule string) (n uint64) {
	for _, u := range r.Rules {
		if strings.Contains(u.Text, rule) {
			n += u.Acted
		}
	}
	return n
}

func TestLearnAndEnforce(t *testing.T) {
	s := newSite(t)
	file := filepath.Join(t.TempDir(), "policy.yaml")

	s.run(t, nil, func(base string) {
		for _, q := range s.attacks() {
			if _, body := get(t, base, q.path, q.key, q.value); !strings.Contains(body, q.leaks) {
				t.Errorf("%s does nothing here, so the test tests nothing: %q", q.name, body)
			}
		}
	})

	// In two runs: the second adds to what the first has found.
	half := len(s.benign()) / 2
	s.run(t, []string{"--learn", file}, func(base string) { expect(t, base, s.benign()[:half]) })
	first, err := policy.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, []string{"--learn", file}, func(base string) { expect(t, base, s.benign()[half:]) })
	p, err := policy.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		list []string
		want string
	}{{p.Programs, "/bin/sh"}, {p.Connects, strings.TrimPrefix(s.friend.URL, "http://")}, {p.Files, filepath.Join(s.dir, "files")}} {
		if !slices.Contains(c.list, c.want) {
			t.Errorf("%q was not learned: %q", c.want, c.list)
		}
	}
	if first.Connects == nil || len(first.Connects) != 0 || len(first.Programs) != 1 {
		t.Errorf("the first run learned %+v", first)
	}

	t.Run("enforce", func(t *testing.T) {
		r := s.run(t, []string{"--enforce", file, "-H", "none"}, func(base string) {
			expect(t, base, s.benign())
			for _, q := range s.attacks() {
				if status, body := get(t, base, q.path, q.key, q.value); status != q.status || strings.Contains(body, q.leaks) {
					t.Errorf("%s: %d %q", q.name, status, body)
				}
			}
			expect(t, base, s.later())
		})
		for _, q := range s.attacks() {
			if acted(r, q.rule) == 0 {
				t.Errorf("%s: no rule %q acted: %+v", q.name, q.rule, r.Rules)
			}
		}
		told := func(what string) bool {
			return slices.ContainsFunc(r.Rules, func(u report.Rule) bool {
				return slices.ContainsFunc(u.Calls, func(c report.Acted) bool { return strings.Contains(c.What, what) })
			})
		}
		for _, what := range []string{"/usr/bin/id", "/files/../secret.txt", "/etc/group", "/files/link.txt", strings.TrimPrefix(s.internal.URL, "http://")} {
			if !told(what) {
				t.Errorf("the report does not tell of %s: %+v", what, r.Rules)
			}
		}
	})
	t.Run("audit", func(t *testing.T) {
		r := s.run(t, []string{"--enforce", file, "--audit", "-H", "none"}, func(base string) {
			for _, q := range s.attacks() {
				if _, body := get(t, base, q.path, q.key, q.value); !strings.Contains(body, q.leaks) {
					t.Errorf("%s was kept from it: %q", q.name, body)
				}
			}
		})
		for _, q := range s.attacks() {
			if acted(r, q.rule) == 0 {
				t.Errorf("%s: no rule %q told of it: %+v", q.name, q.rule, r.Rules)
			}
		}
	})
}

// The pack of seam's own refuses nothing, and tells of what is odd.
func TestSecurityPack(t *testing.T) {
	s := newSite(t)
	r := s.run(t, []string{"-H", "security"}, func(base string) {
		expect(t, base, s.benign())
		for _, q := range s.attacks() {
			if _, body := get(t, base, q.path, q.key, q.value); !strings.Contains(body, q.leaks) {
				t.Errorf("%s was kept from it: %q", q.name, body)
			}
		}
	})
	for _, rule := range []string{"execve:path in=", "path*=/../"} {
		if acted(r, rule) == 0 {
			t.Errorf("%q told of nothing: %+v", rule, r.Rules)
		}
	}
	if n := acted(r, "connect:addr!in="); n != 0 {
		t.Errorf("connections to this machine are told of: %+v", r.Rules)
	}
}
