package laws

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seam-project/seam/tests/harness"
)

// library is the library that bin/seam has inside.
func library(t *testing.T) *elf.File {
	t.Helper()
	harness.Seam(t)
	f, err := elf.Open(filepath.Join(harness.Root(), "launcher/embed/libseam.so"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The program gets no name but seam's own, and nothing is loaded for seam's sake but libc.
func TestExportsAndNeeds(t *testing.T) {
	f := library(t)
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if s.Section != elf.SHN_UNDEF && !strings.HasPrefix(s.Name, "seam_") {
			t.Errorf("exports %s", s.Name)
		}
	}
	needs, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range needs {
		if n != "libc.so.6" && n != "ld-linux-x86-64.so.2" { // the loader is part of glibc
			t.Errorf("needs %s", n)
		}
	}
	if flags, err := f.DynValue(elf.DT_FLAGS); err == nil && len(flags) > 0 && flags[0]&uint64(elf.DF_TEXTREL) != 0 {
		t.Error("has text relocations")
	}
	for _, p := range f.Progs {
		if p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
			t.Errorf("segment at %#x is writable and executable", p.Vaddr)
		}
	}
}

// hotRefers is all that the code inside a call may refer to, by object file:
// functions that keep the same rules, and seam's own data. No libc, nothing of Go's.
var hotRefers = map[string][]string{
	"enter.c":    {"seam", "seam_act", "seam_act_holds", "seam_act_now", "seam_act_skipped", "seam_after_process", "seam_alive", "seam_before_process", "seam_callbacks_after", "seam_catch_up", "seam_confine", "seam_confine_end", "seam_count_drop", "seam_count_shared", "seam_count_skip", "seam_epoch", "seam_errno_off", "seam_hand_over", "seam_left_by_jump", "seam_loader_event", "seam_make_room", "seam_maps_begin", "seam_maps_end", "seam_native_did", "seam_native_did_after", "seam_native_post", "seam_process_ends", "seam_read_items", "seam_read_prefix", "seam_read_string", "seam_return_lost", "seam_thread_setup", "seam_tls", "seam_use_tsc", "seam_whose"},
	"act.c":      {"seam", "seam_break_give", "seam_break_take", "seam_break_wait", "seam_callback", "seam_errno_off", "seam_holds", "seam_list_holds", "seam_native_pre", "seam_read_bytes", "seam_refused", "seam_use_tsc"},
	"native.c":   {"seam", "seam_aside", "seam_errno_off", "seam_native_tell_off", "seam_refused"},
	"breaks.c":   {"seam", "seam_alive", "seam_copy", "seam_read_items"},
	"callback.c": {"seam", "seam_agent_runs", "seam_await", "seam_claim_handover", "seam_due", "seam_errno_off", "seam_refused", "seam_safe_place"},
	"lists.c":    {"seam", "seam_act_holds", "seam_read_bytes", "seam_read_text", "seam_shape", "seam_shape_first"},
	"shape.c":    {},
	"chunk.c":    {"seam", "seam_alive", "seam_aside", "seam_before_process", "seam_catch_up", "seam_drop", "seam_enter_process", "seam_epoch", "seam_go_start", "seam_guest", "seam_left_by_jump", "seam_own_tid", "seam_settle_drop", "seam_tls", "seam_use_tsc", "seam_whose"},
	"catchup.c":  {"seam", "seam_aside", "seam_follow_spec", "seam_loader_at_rest", "seam_safe_place", "seam_wished"},
	"drop.c":     {"seam"},
	"read.c":     {"seam", "seam_tls", "seam_whose"},
	"process.c":  {"seam", "seam_alive", "seam_copy", "seam_guest_known", "seam_no_twins", "seam_tls", "seam_use_tsc"},
	"handover.c": {"seam", "seam_aside", "seam_go_start", "seam_go_wait"},
	"twin.c":     {"seam", "seam_alive", "seam_child_ended", "seam_exec_environment", "seam_process_exits", "seam_register_process", "seam_retire", "seam_thread_setup", "seam_tls"},
	"jump.c":     {"seam", "seam_mapped", "seam_release_handovers", "seam_repair"},
	"follow.c":   {"seam", "seam_copy", "seam_tls"},
	"aside.c":    {"seam_with_vectors"},
	"confine.c":  {"seam", "seam_alive", "seam_aside", "seam_clock_confine", "seam_end_agent", "seam_maps_confine", "seam_thread_setup", "seam_tls", "seam_whose"},
}

func TestHotCodeRefersToNothingElse(t *testing.T) {
	core := filepath.Join(harness.Root(), "preload/core")
	for name, want := range hotRefers {
		out := filepath.Join(t.TempDir(), name+".o")
		r := harness.Run(t, harness.Cmd{Args: []string{harness.Program(t, "gcc"), "-O2", "-fPIC", "-fno-stack-protector", "-fno-strict-aliasing",
			"-fvisibility=hidden", "-c", "-o", out, filepath.Join(core, name)}})
		if r.Code != 0 {
			t.Errorf("compile %s: %v", name, r)
			continue
		}
		f, err := elf.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		syms, err := f.Symbols()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range syms {
			if s.Section == elf.SHN_UNDEF && s.Name != "" && s.Name != "_GLOBAL_OFFSET_TABLE_" && !slices.Contains(want, s.Name) {
				t.Errorf("%s refers to %s: is that allowed within a call?", name, s.Name)
			}
		}
	}
}

// imports is what the library links beyond Go's standard library, with why it
// has to be in the user's program.
var imports = map[string]string{
	"github.com/ebitengine/purego":                  "calls the program's own libraries, e.g. sqlite3_errmsg",
	"github.com/ebitengine/purego/internal/cgo":     "part of purego",
	"github.com/ebitengine/purego/internal/strings": "part of purego",
	"github.com/DataDog/go-sqllexer":                "statements are normalised before they leave the program",
	"golang.org/x/arch/x86/x86asm":                  "the planner decodes what it moves",
	"golang.org/x/sys/unix":                         "system calls that package syscall lacks",
}

// forbidden would bring threads, descriptors, processes or much memory with them.
var forbidden = []string{"net", "net/http", "os/exec", "os/signal", "os/user", "regexp", "log", "log/slog", "text/template", "crypto/tls", "plugin"}

func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{else}}std {{.ImportPath}}{{end}}", "./preload")
	cmd.Dir = harness.Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		path := strings.TrimSpace(line)
		if std, ok := strings.CutPrefix(path, "std "); ok {
			if slices.Contains(forbidden, std) {
				t.Errorf("the library imports %s", std)
			}
			continue
		}
		if !strings.HasPrefix(path, "github.com/seam-project/seam/") && imports[path] == "" {
			t.Errorf("the library imports %s: add it with a reason, or do without", path)
		}
	}
}

// A neighbour in LD_PRELOAD keeps its place and its work, whichever comes first.
func TestPreloadNeighbour(t *testing.T) {
	exe, flags := guest(t)
	lib := program(t, "neighbour.c", "-shared", "-fPIC")
	for _, start := range starts {
		res, _ := watched(t, with(flags, "--start", start), "/usr/bin/env", "LD_PRELOAD="+lib, exe, "errno")
		if res.Code != 0 || !strings.Contains(res.Stdout, "neighbour") {
			t.Errorf("alone: %v", res)
		}
		got, _ := watchedCmd(t, with(flags, "--start", start), harness.Cmd{Args: []string{exe, "errno"}, Env: []string{"LD_PRELOAD=" + lib}})
		bare := harness.Run(t, harness.Cmd{Args: []string{exe, "errno"}, Env: []string{"LD_PRELOAD=" + lib}})
		if got.Stdout != bare.Stdout || got.Code != bare.Code || !strings.Contains(bare.Stdout, "neighbour") {
			t.Errorf("with seam\nbare:    %v\nwatched: %v", bare, got)
		}
	}
}
