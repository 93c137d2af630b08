package plan

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seam-project/seam/hooks"
)

// compile builds a C program of testdata against the core's header.
func compile(t *testing.T, src string, args ...string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "x")
	args = append([]string{"-O1", "-Wall", "-Werror", "-I../core", "-o", exe, src}, args...)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %v: %v\n%s", args, err, out)
	}
	return exe
}

// TestLayoutIsThatOfTheHeader compares this package's offsets with those a C
// compiler gives abi.h.
func TestLayoutIsThatOfTheHeader(t *testing.T) {
	want := []any{
		"sizeof(seam_plan)", headerSize, "sizeof(seam_site)", siteSize, "sizeof(seam_fix)", fixSize, "sizeof(seam_op)", opSize,
		"sizeof(seam_filter)", filterSize, "sizeof(seam_rule)", ruleSize, "sizeof(seam_addr_range)", addrRangeSize, "sizeof(seam_dep)", depSize,
		"seam_plan.version", hdrVersion, "seam_plan.size", hdrSize, "seam_plan.check", hdrCheck, "seam_plan.spec_hash", hdrSpec,
		"seam_plan.dev", hdrDev, "seam_plan.ino", hdrIno, "seam_plan.fsize", hdrFsize, "seam_plan.mtime_ns", hdrMtime,
		"seam_plan.nsites", hdrNsites, "seam_plan.sites_off", hdrSites, "seam_plan.refusals_off", hdrRefOff,
		"seam_plan.refusals_len", hdrRefLn, "seam_plan.text_lo", hdrTextLo, "seam_plan.text_hi", hdrTextHi,
		"seam_plan.ndeps", hdrNdeps, "seam_plan.deps_off", hdrDeps, "seam_dep.path_off", 32,
		"seam_site.vaddr", siteVaddr, "seam_site.kind", siteKind, "seam_site.instrument", siteInstr, "seam_site.flags", siteFlags,
		"seam_site.patch_len", sitePatch, "seam_site.nregs", siteNregs, "seam_site.nstack", siteNstack, "seam_site.ncopy", siteNcopy,
		"seam_site.nops", siteNops, "seam_site.orig", siteOrig, "seam_site.tramp_off", siteTrampOff, "seam_site.tramp_len", siteTrampLen,
		"seam_site.fix_off", siteFixOff, "seam_site.nfix", siteNfix, "seam_site.ops_off", siteOpsOff, "seam_site.filt_off", siteFiltOff,
		"seam_site.nfilt", siteNfilt, "seam_site.fail_op", siteFailOp, "seam_site.ret_width", siteRetWidth,
		"seam_site.handover", siteHandover, "seam_site.def_off", siteDefOff, "seam_site.def_len", siteDefLen,
		"seam_site.name_off", siteNameOff, "seam_site.fail_val", siteFailVal, "seam_site.watch", siteWatch, "seam_site.from", siteFrom, "seam_site.proto", siteProto, "seam_site.picker", sitePicker,
		"seam_site.probe", siteProbe, "seam_plan.live_off", hdrLive, "sizeof(seam_live)", liveSize, "seam_live.at", liveAt, "seam_live.undo", liveUndo,
		"seam_live.form", liveForm, "seam_live.npads", liveNpads, "seam_live.rel", liveRel, "seam_live.fill", liveFill,
		"SEAM_LIVE_WORD", int(LiveWord), "SEAM_LIVE_SHORT", int(LiveShort), "SEAM_LIVE_PADS", maxPads, "SEAM_NO_PROBE", noProbe,
		"seam_site.nrules", siteNrules, "seam_site.rules_off", siteRulesOff,
		"seam_rule.what", ruleWhat, "seam_rule.flags", ruleFlags, "seam_rule.id", ruleID, "seam_rule.nfilt", ruleNfilt, "seam_rule.nerr", ruleNerr,
		"seam_rule.count_arg", ruleCountArg, "seam_rule.filt_off", ruleFiltOff, "seam_rule.count", ruleCount, "seam_rule.ret", ruleRet, "seam_rule.err", ruleErr,
		"seam_fix.at", 0, "seam_fix.kind", 2, "seam_fix.addend", 3, "seam_fix.target", 8,
		"seam_op.op", 0, "seam_op.arg", 1, "seam_op.len", 2, "seam_op.when", 3, "seam_op.cap", 4, "seam_op.unit", 6,
		"seam_filter.what", 0, "seam_filter.arg", 1, "seam_filter.cmp", 2, "seam_filter.len", 3, "seam_filter.width", 4,
		"seam_filter.is_signed", 5, "seam_filter.value", 8, "seam_filter.str", 16,
		"SEAM_PLAN_VERSION", planVersion, "SEAM_MAX_PATCH", maxPatch, "SEAM_MAX_WORDS", maxWords,
		"SEAM_SITE_FULL", int(Full), "SEAM_SITE_ENTRY", int(Entry), "SEAM_SITE_COUNT", int(Count), "SEAM_SITE_GUARD", int(Guard), "SEAM_SITE_WATCH", int(Watch),
		"SEAM_WATCH_VFORK", int(WatchVfork), "SEAM_WATCH_CLONE", int(WatchClone), "SEAM_WATCH_SPAWN", int(WatchSpawn), "SEAM_WATCH_WAIT4", int(WatchWait4),
		"SEAM_WATCH_WAITID", int(WatchWaitid), "SEAM_WATCH_EXECVE", int(WatchExecve), "SEAM_WATCH_EXECVEAT", int(WatchExecveat),
		"SEAM_WATCH_FEXECVE", int(WatchFexecve), "SEAM_WATCH_SYSCALL", int(WatchSyscall), "SEAM_WATCH_EXIT", int(WatchExit),
		"SEAM_SF_ERRNO", int(FlagErrno), "SEAM_SF_HANDOVER", int(FlagHandover), "SEAM_SF_NORETURN", int(FlagNoReturn),
		"SEAM_SF_FORKS", int(FlagForks), "SEAM_SF_EXEC", int(FlagExec), "SEAM_SF_EXIT", int(FlagExit), "SEAM_SF_GUARD", int(FlagGuard), "SEAM_SF_PUSHES", int(FlagPushes),
		"SEAM_FIX_REL32", int(FixRel32), "SEAM_FIX_ABS64", int(FixAbs64),
		"SEAM_OP_STR", opStr, "SEAM_OP_BUF", opBuf, "SEAM_OP_BUFP", opBufP, "SEAM_OP_RETSTR", opRetStr, "SEAM_OP_BUF32", opBuf32,
		"SEAM_WHEN_ENTER", whenEnter, "SEAM_WHEN_LEAVE", whenLeave, "SEAM_WHEN_OK", whenOK,
		"SEAM_FILT_INT", filtInt, "SEAM_FILT_PREFIX", filtPrefix, "SEAM_FILT_FAILED", filtFailed, "SEAM_FILT_MINDUR", filtMinDur,
		"SEAM_FILT_RULED", filtRuled, "SEAM_FILT_ADDR", filtAddr, "SEAM_FILT_FDPATH", filtFDPath,
		"SEAM_FILT_WITHIN", filtWithin, "SEAM_FILT_ADDRS", filtAddrs, "SEAM_FILT_HAS", filtHas, "SEAM_FILT_SHAPE", filtShape, "SEAM_NO_WORD", noWord,
		"sizeof(seam_set)", setSize, "sizeof(seam_set_entry)", setEntrySize, "sizeof(seam_names)", namesSize, "seam_names.nofollow", 12, "seam_names.follow", 16, "seam_names.flags", 8, "sizeof(seam_sql)", sqlSize, "seam_sql.own", sqlOwn, "SEAM_SQL_MOST", hooks.MaxShape,
		"SEAM_MAX_RULES", maxRules, "SEAM_RULE_ERRS", maxRuleErrs,
		"SEAM_ACT_FAULT", hooks.ActFault, "SEAM_ACT_SHORT", hooks.ActShort, "SEAM_ACT_DELAY", hooks.ActDelay, "SEAM_ACT_DENY", hooks.ActDeny, "SEAM_ACT_AUDIT", hooks.ActAudit,
		"SEAM_RULE_ERRNO", hooks.RuleErrno, "SEAM_RULE_CODE", hooks.RuleCode, "SEAM_RULE_NEG", hooks.RuleNeg,
	}
	var text strings.Builder
	for i := 0; i < len(want); i += 2 {
		fmt.Fprintln(&text, want[i], want[i+1])
	}
	out, err := exec.Command(compile(t, "testdata/layout.c")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(text.String(), string(out)); d != "" {
		t.Errorf("layout (-Go +C):\n%s", d)
	}
}
