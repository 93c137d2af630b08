package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// TestSecretsStayHome looks for secrets in all that leaves the target.
func TestSecretsStayHome(t *testing.T) {
	py := harness.Program(t, "python3")
	secrets := []string{"literal-s3cret", "bound-s3cret", "url-s3cret", "arg-s3cret", "env-s3cret", "number-4711081500"}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.py"), `
import sqlite3, subprocess, os
c = sqlite3.connect(":memory:")
c.execute("create table t(a, b)")
c.execute("insert into t values('literal-s3cret', 4711081500)")
c.execute("insert into t values(?, ?)", ("bound-s3cret", 4711081500))
try: c.execute("insert into missing values('literal-s3cret')")
except sqlite3.Error as e: pass
try: c.execute("select literal_s from t where 'literal-s3cret")
except sqlite3.Error as e: pass
for args in (["--password=arg-s3cret"], ["--token", "arg-s3cret"], ["https://user:url-s3cret@example.invalid/x?y=1"], ["postgres://u:url-s3cret@localhost/db"]):
    subprocess.run(["/bin/true"] + args, check=True)
os.environ["MY_PASSWORD"] = "env-s3cret"
subprocess.run(["/bin/sh", "-c", "exec /bin/true"], check=True)
print("done")
`)
	res := harness.Run(t, harness.Cmd{Dir: dir, Args: []string{harness.Seam(t), "run", "--live", "--json", "-o", "stream", "--report", "report", "--", py, "app.py"}})
	if res.Code != 0 || res.Stdout != "done\n" {
		t.Fatalf("the program: %v", res)
	}
	saved := harness.Run(t, harness.Cmd{Dir: dir, Args: []string{harness.Seam(t), "report", "stream"}})
	where := map[string]string{"--live": res.Stderr, "seam report": saved.Stdout + saved.Stderr}
	for _, name := range []string{"stream", "report"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		where[name] = string(b)
	}
	for name, out := range where {
		if len(out) < 1000 {
			t.Errorf("%s has only %d bytes", name, len(out))
		}
		for _, s := range secrets {
			s = strings.TrimPrefix(s, "number-")
			if i := strings.Index(out, s); i >= 0 {
				t.Errorf("%s has the secret %q: …%q…", name, s, out[max(0, i-150):min(len(out), i+50)])
			}
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "stream")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the saved stream: %v, %v", info.Mode(), err)
	}
	// What is no secret must be there, or this test looks at the wrong thing.
	for _, want := range []string{"insert into t values", "--password", "example.invalid"} {
		if !strings.Contains(strings.ToLower(where["stream"]), want) {
			t.Errorf("the stream lacks %q", want)
		}
	}
}
