/* Prints the layout of the structures of a plan file, one "name value" a line. */
#include <stddef.h>
#include <stdio.h>
#include "abi.h"
#define SIZE(s) printf("sizeof(" #s ") %zu\n", sizeof(struct s))
#define OFF(s, f) printf(#s "." #f " %zu\n", offsetof(struct s, f))
#define VAL(v) printf(#v " %ld\n", (long)(v))
int main(void)
{
	SIZE(seam_plan); SIZE(seam_site); SIZE(seam_fix); SIZE(seam_op); SIZE(seam_filter); SIZE(seam_rule); SIZE(seam_addr_range); SIZE(seam_dep);
	OFF(seam_plan, version); OFF(seam_plan, size); OFF(seam_plan, check); OFF(seam_plan, spec_hash);
	OFF(seam_plan, dev); OFF(seam_plan, ino); OFF(seam_plan, fsize); OFF(seam_plan, mtime_ns);
	OFF(seam_plan, nsites); OFF(seam_plan, sites_off); OFF(seam_plan, refusals_off); OFF(seam_plan, refusals_len);
	OFF(seam_plan, text_lo); OFF(seam_plan, text_hi);
	OFF(seam_plan, ndeps); OFF(seam_plan, deps_off); OFF(seam_dep, path_off);
	OFF(seam_site, vaddr); OFF(seam_site, kind); OFF(seam_site, instrument); OFF(seam_site, flags); OFF(seam_site, patch_len);
	OFF(seam_site, nregs); OFF(seam_site, nstack); OFF(seam_site, ncopy); OFF(seam_site, nops); OFF(seam_site, orig);
	OFF(seam_site, tramp_off); OFF(seam_site, tramp_len); OFF(seam_site, fix_off); OFF(seam_site, nfix);
	OFF(seam_site, ops_off); OFF(seam_site, filt_off); OFF(seam_site, nfilt); OFF(seam_site, fail_op);
	OFF(seam_site, ret_width); OFF(seam_site, handover); OFF(seam_site, def_off); OFF(seam_site, def_len);
	OFF(seam_site, name_off); OFF(seam_site, fail_val); OFF(seam_site, watch); OFF(seam_site, from); OFF(seam_site, proto);
	OFF(seam_site, picker); OFF(seam_site, probe); OFF(seam_plan, live_off); SIZE(seam_live); OFF(seam_live, at); OFF(seam_live, undo);
	OFF(seam_live, form); OFF(seam_live, npads); OFF(seam_live, rel); OFF(seam_live, fill);
	VAL(SEAM_LIVE_WORD); VAL(SEAM_LIVE_SHORT); VAL(SEAM_LIVE_PADS); VAL(SEAM_NO_PROBE);
	OFF(seam_site, nrules); OFF(seam_site, rules_off);
	OFF(seam_rule, what); OFF(seam_rule, flags); OFF(seam_rule, id); OFF(seam_rule, nfilt); OFF(seam_rule, nerr);
	OFF(seam_rule, count_arg); OFF(seam_rule, filt_off); OFF(seam_rule, count);
	OFF(seam_rule, ret); OFF(seam_rule, err);
	OFF(seam_fix, at); OFF(seam_fix, kind); OFF(seam_fix, addend); OFF(seam_fix, target);
	OFF(seam_op, op); OFF(seam_op, arg); OFF(seam_op, len); OFF(seam_op, when); OFF(seam_op, cap); OFF(seam_op, unit);
	OFF(seam_filter, what); OFF(seam_filter, arg); OFF(seam_filter, cmp); OFF(seam_filter, len); OFF(seam_filter, width);
	OFF(seam_filter, is_signed); OFF(seam_filter, value); OFF(seam_filter, str);
	VAL(SEAM_PLAN_VERSION); VAL(SEAM_MAX_PATCH); VAL(SEAM_MAX_WORDS);
	VAL(SEAM_SITE_FULL); VAL(SEAM_SITE_ENTRY); VAL(SEAM_SITE_COUNT); VAL(SEAM_SITE_GUARD); VAL(SEAM_SITE_WATCH);
	VAL(SEAM_WATCH_VFORK); VAL(SEAM_WATCH_CLONE); VAL(SEAM_WATCH_SPAWN); VAL(SEAM_WATCH_WAIT4); VAL(SEAM_WATCH_WAITID);
	VAL(SEAM_WATCH_EXECVE); VAL(SEAM_WATCH_EXECVEAT); VAL(SEAM_WATCH_FEXECVE); VAL(SEAM_WATCH_SYSCALL); VAL(SEAM_WATCH_EXIT);
	VAL(SEAM_SF_ERRNO); VAL(SEAM_SF_HANDOVER); VAL(SEAM_SF_NORETURN); VAL(SEAM_SF_FORKS); VAL(SEAM_SF_EXEC);
	VAL(SEAM_SF_EXIT); VAL(SEAM_SF_GUARD); VAL(SEAM_SF_PUSHES); VAL(SEAM_FIX_REL32); VAL(SEAM_FIX_ABS64);
	VAL(SEAM_OP_STR); VAL(SEAM_OP_BUF); VAL(SEAM_OP_BUFP); VAL(SEAM_OP_RETSTR); VAL(SEAM_OP_BUF32);
	VAL(SEAM_WHEN_ENTER); VAL(SEAM_WHEN_LEAVE); VAL(SEAM_WHEN_OK);
	VAL(SEAM_FILT_INT); VAL(SEAM_FILT_PREFIX); VAL(SEAM_FILT_FAILED); VAL(SEAM_FILT_MINDUR);
	VAL(SEAM_FILT_RULED); VAL(SEAM_FILT_ADDR); VAL(SEAM_FILT_FDPATH);
	VAL(SEAM_FILT_WITHIN); VAL(SEAM_FILT_ADDRS); VAL(SEAM_FILT_HAS); VAL(SEAM_FILT_SHAPE); VAL(SEAM_NO_WORD);
	SIZE(seam_set); SIZE(seam_set_entry); SIZE(seam_names); OFF(seam_names, nofollow); OFF(seam_names, follow); OFF(seam_names, flags); SIZE(seam_sql); OFF(seam_sql, own); VAL(SEAM_SQL_MOST);
	VAL(SEAM_MAX_RULES); VAL(SEAM_RULE_ERRS);
	VAL(SEAM_ACT_FAULT); VAL(SEAM_ACT_SHORT); VAL(SEAM_ACT_DELAY); VAL(SEAM_ACT_DENY); VAL(SEAM_ACT_AUDIT);
	VAL(SEAM_RULE_ERRNO); VAL(SEAM_RULE_CODE); VAL(SEAM_RULE_NEG);
	return 0;
}
