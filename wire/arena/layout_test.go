package arena

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var mirrors = map[string]any{
	"seam_arena": Header{}, "seam_refusals": Refusals{}, "seam_proc": Proc{}, "seam_thread": Thread{},
	"seam_chunk": Chunk{}, "seam_asite": Site{}, "seam_hist": Hist{}, "seam_rec": Rec{},
	"seam_rule_state": RuleState{}, "seam_item": Item{}, "seam_end": End{}, "seam_handover": Handover{}, "seam_called": Called{}, "seam_note": Note{},
	"seam_parks": Parks{}, "seam_break": Break{}, "seam_parked": ParkedThread{},
}

const abi = "../../preload/core/abi.h"

func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// TestLayout prints size and offset of every field of the Go mirrors from C, and
// looks for C fields that no mirror has.
func TestLayout(t *testing.T) {
	src, err := os.ReadFile(abi)
	if err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(abi)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	c := fmt.Sprintf("#include %q\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n", abs)
	for name, v := range mirrors {
		typ := reflect.TypeOf(v)
		c += fmt.Sprintf("printf(\"%s %%zu\\n\", sizeof(struct %s));\n", name, name)
		want = append(want, fmt.Sprintf("%s %d", name, typ.Size()))
		var fields []string
		for f := range typ.Fields() {
			if f.Name == "_" {
				continue
			}
			cn := snake(f.Name)
			fields = append(fields, cn)
			c += fmt.Sprintf("{ struct %s *p = 0; printf(\"%s.%s %%zu %%zu\\n\", offsetof(struct %s, %s), sizeof(p->%s)); }\n",
				name, name, cn, name, cn, cn)
			want = append(want, fmt.Sprintf("%s.%s %d %d", name, cn, f.Offset, f.Type.Size()))
		}
		for _, cf := range cFields(t, string(src), name) {
			if !slices.Contains(fields, cf) {
				t.Errorf("struct %s: field %s has no mirror", name, cf)
			}
		}
	}
	c += "return 0; }\n"
	dir := t.TempDir()
	bin := filepath.Join(dir, "layout")
	cc := exec.Command("gcc", "-xc", "-", "-o", bin)
	cc.Stdin = strings.NewReader(c)
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	out, err := exec.Command(bin).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("C has %q, Go has %q", got[i], want[i])
		}
	}
}

var (
	comment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	attr    = regexp.MustCompile(`__attribute__\(\([^()]*(\([^()]*\))?\)\)`)
	ident   = regexp.MustCompile(`^\**(\w+)(\[.*\])?$`)
)

// cFields lists the field names of a struct, from the text of abi.h.
func cFields(t *testing.T, src, name string) []string {
	src = attr.ReplaceAllString(comment.ReplaceAllString(src, ""), "")
	_, body, ok := strings.Cut(src, "struct "+name+" {")
	if !ok {
		t.Fatalf("no struct %s", name)
	}
	body, _, _ = strings.Cut(body, "}")
	var out []string
	for decl := range strings.SplitSeq(body, ";") {
		decl = strings.TrimSpace(decl)
		if decl == "" {
			continue
		}
		_, names, _ := strings.Cut(strings.ReplaceAll(decl, "\t", " "), " ")
		for n := range strings.SplitSeq(names, ",") {
			m := ident.FindStringSubmatch(strings.TrimSpace(n))
			if m == nil {
				t.Fatalf("struct %s: field %q not understood", name, decl)
			}
			out = append(out, m[1])
		}
	}
	return out
}

// TestConstants compares the enumerations with the Go constants.
func TestConstants(t *testing.T) {
	abs, err := filepath.Abs(abi)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{
		"SEAM_ARENA_VERSION": Version, "SEAM_MAX_WORDS": MaxWords, "SEAM_MAX_RULES": MaxRules, "SEAM_HIST_BUCKETS": HistBuckets,
		"SEAM_DROP_OLDEST": DropOldest, "SEAM_DROP_NEWEST": DropNewest, "SEAM_BLOCK": Block,
		"SEAM_CLOCK_TSC": ClockTSC, "SEAM_CLOCK_MONO": ClockMono,
		"SEAM_OWNER_COLLECTOR": OwnerCollector, "SEAM_OWNER_DIED": OwnerDied,
		"SEAM_PROC_LIVE": ProcLive, "SEAM_PROC_DEAD": ProcDead, "SEAM_THREAD_LIVE": ThreadLive,
		"SEAM_GO_ON": GoOn, "SEAM_GO_PARKED": GoParked,
		"SEAM_CHUNK_ACTIVE": ChunkActive, "SEAM_CHUNK_FULL": ChunkFull, "SEAM_CHUNK_STOLEN": ChunkStolen,
		"SEAM_CHUNK_BUSY": ChunkBusy, "SEAM_CHUNK_FREE": ChunkFree,
		"SEAM_SITE_FULL": SiteFull, "SEAM_SITE_ENTRY": SiteEntry, "SEAM_SITE_COUNT": SiteCount, "SEAM_SITE_GUARD": SiteGuard, "SEAM_SITE_WATCH": SiteWatch,
		"SEAM_LOG": Log, "SEAM_COUNT": Count, "SEAM_HIST": HistI, "SEAM_SF_ERRNO": SiteErrno,
		"SEAM_REC_ENTER": RecEnter, "SEAM_REC_LEAVE": RecLeave, "SEAM_REC_ENTRY": RecEntry,
		"SEAM_RF_FAILED": RecFailed, "SEAM_RF_PAYLOAD": RecPayload, "SEAM_RF_REPLY": RecReply, "SEAM_RF_RULES": RecRules,
		"SEAM_OPIDX_REPLY": OpReply, "SEAM_LOST_OLDEST": LostOldest, "SEAM_LOST_NEWEST": LostNewest,
		"SEAM_LOST_RETURN": LostReturn, "SEAM_LOST_KINDS": uint64(len(LostNames)),
		"SEAM_CONF_QUIET": ConfQuiet, "SEAM_CONF_STAYED": ConfStayed, "SEAM_CONF_TOLD": ConfTold, "SEAM_CONF_NOAGENT": ConfNoAgent,
		"SEAM_GO_FAILED": GoFailed,
		"SEAM_HO_ASKED":  HandoverAsked, "SEAM_HO_ABANDONED": HandoverAbandoned,
	}
	c := fmt.Sprintf("#include %q\n", abs)
	for k, v := range want {
		c += fmt.Sprintf("_Static_assert(%s == %d, %q);\n", k, v, k)
	}
	cc := exec.Command("gcc", "-xc", "-fsyntax-only", "-")
	cc.Stdin = strings.NewReader(c)
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
