package launcher

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompose(t *testing.T) {
	in := Injection{Library: "/c/$PLATFORM/libseam.so", Spec: "/c/x.spec", Socket: "/c/s"}
	ours := []string{"SEAM_SPEC=/c/x.spec", "SEAM_SOCKET=/c/s"}
	for _, tc := range []struct {
		name string
		env  []string
		in   Injection
		want []string
	}{
		{"none", []string{"A=1"}, in, append([]string{"A=1", "LD_PRELOAD=/c/$PLATFORM/libseam.so"}, ours...)},
		{"existing is kept, behind, in its place", []string{"LD_PRELOAD=/x.so /y.so", "A=1"}, in,
			append([]string{"LD_PRELOAD=/c/$PLATFORM/libseam.so:/x.so /y.so", "A=1"}, ours...)},
		{"ours already", []string{"LD_PRELOAD=/x.so:/c/$PLATFORM/libseam.so"}, in, append([]string{"LD_PRELOAD=/x.so:/c/$PLATFORM/libseam.so"}, ours...)},
		{"ours already, after a blank", []string{"LD_PRELOAD=/x.so /c/$PLATFORM/libseam.so"}, in, append([]string{"LD_PRELOAD=/x.so /c/$PLATFORM/libseam.so"}, ours...)},
		{"a name that contains ours", []string{"LD_PRELOAD=/c/$PLATFORM/libseam.so.1"}, in, append([]string{"LD_PRELOAD=/c/$PLATFORM/libseam.so:/c/$PLATFORM/libseam.so.1"}, ours...)},
		{"empty", []string{"LD_PRELOAD="}, in, append([]string{"LD_PRELOAD=/c/$PLATFORM/libseam.so"}, ours...)},
		{"outer seam", []string{"SEAM_SPEC=/old", "SEAM_SOCKET=/old", "SEAM_HOOKS=file"}, in,
			append([]string{"SEAM_HOOKS=file", "LD_PRELOAD=/c/$PLATFORM/libseam.so"}, ours...)},
		{"oddities", []string{"", "novalue", "A=1", "A=2", "LD_PRELOADX=1"}, in,
			append([]string{"", "novalue", "A=1", "A=2", "LD_PRELOADX=1", "LD_PRELOAD=/c/$PLATFORM/libseam.so"}, ours...)},
		{"no library", []string{"LD_PRELOAD=/x.so"}, Injection{Spec: "/c/x.spec"}, []string{"LD_PRELOAD=/x.so", "SEAM_SPEC=/c/x.spec"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Compose(tc.env, tc.in)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestShellFormat evaluates what is printed, in every shell there is, twice, with
// and without an LD_PRELOAD to keep.
func TestShellFormat(t *testing.T) {
	in := Injection{Library: "/c/lib'se am.so", Spec: "/c/a b$HOME`x`\"'.spec", Socket: "/c/s*"}
	text, err := in.Render(FormatShell, "ignored")
	if err != nil {
		t.Fatal(err)
	}
	for _, sh := range []string{"dash", "bash", "busybox sh", "zsh", "ksh"} {
		argv := strings.Fields(sh)
		if _, err := exec.LookPath(argv[0]); err != nil {
			continue
		}
		for _, tc := range []struct{ before, want string }{
			{"", in.Library},
			{"/x.so:/y.so", in.Library + ":/x.so:/y.so"},
			{"/x.so " + in.Library, "/x.so " + in.Library},
		} {
			script := "set -eu\n" + text + text + `exec 3>&1; unset PATH; printf '%s|%s|%s' "$LD_PRELOAD" "$SEAM_SPEC" "$SEAM_SOCKET"`
			cmd := exec.Command(argv[0], append(argv[1:], "-c", script)...)
			if tc.before != "" {
				cmd.Env = []string{"LD_PRELOAD=" + tc.before}
			} else {
				cmd.Env = []string{"SEAM=1"}
			}
			out, err := cmd.Output()
			want := tc.want + "|" + in.Spec + "|" + in.Socket
			if err != nil || string(out) != want {
				t.Errorf("%s, LD_PRELOAD=%q: %v\n got %s\nwant %s", sh, tc.before, err, out, want)
			}
		}
	}
	// Exported, not just set; and what is empty is gone.
	text, _ = Injection{Library: "/nowhere/lib.so", Spec: "/s"}.Render(FormatShell, "")
	out, err := exec.Command("sh", "-c", "SEAM_SOCKET=old; export SEAM_SOCKET\n"+text+"env 2>/dev/null").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"LD_PRELOAD=/nowhere/lib.so\n", "SEAM_SPEC=/s\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in the environment of a child", want)
		}
	}
	if strings.Contains(string(out), "SEAM_SOCKET") {
		t.Error("SEAM_SOCKET of an outer seam is still there")
	}
}

func TestOtherFormats(t *testing.T) {
	in := Injection{Library: "/c/$PLATFORM/libseam.so", Spec: "/c/100%.spec", Socket: "/c/s"}
	for _, tc := range []struct {
		format   Format
		existing string
		want     string
	}{
		{FormatEnvFile, "", "LD_PRELOAD=/c/$PLATFORM/libseam.so\nSEAM_SPEC=/c/100%.spec\nSEAM_SOCKET=/c/s\n"},
		{FormatEnvFile, "/x.so", "LD_PRELOAD=/c/$PLATFORM/libseam.so:/x.so\nSEAM_SPEC=/c/100%.spec\nSEAM_SOCKET=/c/s\n"},
		{FormatSystemd, `/x".so`, "Environment=\"LD_PRELOAD=/c/$PLATFORM/libseam.so:/x\\\".so\"\nEnvironment=\"SEAM_SPEC=/c/100%%.spec\"\nEnvironment=\"SEAM_SOCKET=/c/s\"\n"},
	} {
		got, err := in.Render(tc.format, tc.existing)
		if err != nil || got != tc.want {
			t.Errorf("%s, %q: %v\n got %q\nwant %q", tc.format, tc.existing, err, got, tc.want)
		}
	}
	for _, bad := range []string{"a\nb", "a'b"} {
		if got, err := (Injection{Spec: bad}).Render(FormatEnvFile, ""); err == nil {
			t.Errorf("env-file can't say %q, but %q came out", bad, got)
		}
	}
	if _, err := in.Render("toml", ""); err == nil {
		t.Error("an unknown format was written")
	}
}

func TestEnvironIsExact(t *testing.T) {
	if got := Environ(); cmp.Diff(os.Environ(), got) != "" && len(got) < len(os.Environ()) {
		t.Errorf("fewer variables than os.Environ: %v", got)
	}
}
