package plan

import "github.com/seam-project/seam/hooks"

// addrRangeSize is sizeof(struct seam_addr_range).
const addrRangeSize = 20

func (l *lists) appendFilters(b []byte, fs []Filter) []byte {
	for _, f := range fs {
		str := f.Str[:min(len(f.Str), 64)]
		sign := byte(0)
		if f.Signed {
			sign = 1
		}
		b = append(b, f.What, f.Arg, f.Cmp, byte(len(str)), f.Width, sign, 0, 0)
		b = le.AppendUint64(b, uint64(f.Value+l.at[listKey(f)]))
		b = append(b, str...)
		b = append(b, make([]byte, 64-len(str))...)
	}
	return b
}

func decodeFilters(b []byte, off uint32, n, words uint8) (fs []Filter, ok bool) {
	filters, ok := slice(b, off, uint32(n), filterSize, maxFilters)
	if !ok {
		return nil, false
	}
	for ; len(filters) > 0; filters = filters[filterSize:] {
		f := Filter{What: filters[0], Arg: filters[1], Cmp: filters[2], Width: filters[4], Signed: filters[5] != 0, Value: int64(le.Uint64(filters[8:]))}
		if filters[3] > 64 || filters[5] > 1 {
			return nil, false
		}
		f.Str = string(filters[16 : 16+int(filters[3])])
		if !f.valid(words) || !f.decodeList(b) {
			return nil, false
		}
		fs = append(fs, f)
	}
	return fs, true
}

// appendRules writes a site's rules, and where they are: their filters come first.
func (l *lists) appendRules(b []byte, rules []Rule) ([]byte, int) {
	offs := make([]int, len(rules))
	for i := range rules {
		offs[i] = len(b)
		b = l.appendFilters(b, rules[i].When)
	}
	at := len(b)
	for i := range rules {
		r := &rules[i]
		b = append(b, make([]byte, ruleSize)...)
		d := b[len(b)-ruleSize:]
		errs := r.Errs[:min(len(r.Errs), maxRuleErrs)]
		d[ruleWhat], d[ruleFlags], d[ruleID], d[ruleNfilt], d[ruleNerr], d[ruleCountArg] = r.What, r.Flags, r.ID, byte(len(r.When)), byte(len(errs)), r.CountArg
		le.PutUint32(d[ruleFiltOff:], uint32(offs[i]))
		le.PutUint32(d[ruleCount:], r.Count)
		le.PutUint64(d[ruleRet:], uint64(r.Ret))
		for j, e := range errs {
			le.PutUint16(d[ruleErr+2*j:], e)
		}
	}
	return b, at
}

func (r *Rule) decode(b, d []byte, words uint8) (ok bool) {
	*r = Rule{What: d[ruleWhat], Flags: d[ruleFlags], ID: d[ruleID], CountArg: d[ruleCountArg], Count: le.Uint32(d[ruleCount:]), Ret: int64(le.Uint64(d[ruleRet:]))}
	native := r.What == hooks.ActNative && (r.Flags == 0 || r.Flags == hooks.RulePost || r.Flags == hooks.RuleFailing)
	if !native && r.What != hooks.ActCallback && (r.What < 1 || r.What > 6 || r.Flags > 7) || r.ID >= maxRules || d[ruleNerr] > maxRuleErrs || r.What == 2 && (r.CountArg >= 6 || r.CountArg >= words || r.Count == 0) {
		return false
	}
	for j := range int(d[ruleNerr]) {
		r.Errs = append(r.Errs, le.Uint16(d[ruleErr+2*j:]))
	}
	r.When, ok = decodeFilters(b, le.Uint32(d[ruleFiltOff:]), d[ruleNfilt], words)
	return ok
}
