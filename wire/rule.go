package wire

import "math/bits"

// AppendRules appends the totals of an arena's rules.
func AppendRules(b []byte, t int64, rules []Rule) []byte {
	b = AppendInt(append(b, 0x93, MsgRule), t)
	b = AppendArray(b, len(rules))
	for i := range rules {
		r := &rules[i]
		b = AppendUint(append(b, 0x96), uint64(r.N))
		b = AppendString(AppendString(b, r.Kind), r.Text)
		b = AppendUint(AppendUint(AppendUint(b, r.Matched), r.Acted), r.Skipped)
	}
	return b
}

// maxRules is the highest number a rule may have: an event names them by bits.
const maxRules = 64

func rules(b []byte, i, n int, h Handler) int {
	if n < 3 {
		return -1
	}
	t, i := integer(b, i)
	k, i := array(b, i)
	if i < 0 || k > maxRules {
		return -1
	}
	list := make([]Rule, k)
	for j := range list {
		r := &list[j]
		fields, at := array(b, i)
		if at < 0 || fields < 6 {
			return -1
		}
		if at = num(b, at, &r.N); at < 0 {
			return -1
		}
		if at = str(b, at, &r.Kind); at < 0 {
			return -1
		}
		if at = str(b, at, &r.Text); at < 0 {
			return -1
		}
		for _, p := range []*uint64{&r.Matched, &r.Acted, &r.Skipped} {
			if at = num(b, at, p); at < 0 {
				return -1
			}
		}
		if i = skipN(b, at, fields-6); i < 0 {
			return -1
		}
	}
	if i = skipN(b, i, n-3); i < 0 {
		return -1
	}
	if rh, ok := h.(RuleHandler); ok {
		rh.Rules(t, list)
	}
	return i
}

// AppendExtra appends the map at the end of an event: nothing when there is
// nothing in it.
func AppendExtra(b, msg []byte, hasMsg bool, rules uint64) []byte {
	n := 0
	if hasMsg {
		n++
	}
	if rules != 0 {
		n++
	}
	many := bits.OnesCount64(rules) > 1
	if many {
		n++
	}
	if n == 0 {
		return b
	}
	b = AppendMap(b, n)
	if hasMsg {
		b = AppendText(AppendString(b, "msg"), msg)
	}
	if rules != 0 {
		b = AppendUint(AppendString(b, "rule"), uint64(bits.TrailingZeros64(rules)+1))
	}
	if many {
		b = AppendArray(AppendString(b, "rules"), bits.OnesCount64(rules))
		for r := rules; r != 0; r &= r - 1 {
			b = AppendUint(b, uint64(bits.TrailingZeros64(r)+1))
		}
	}
	return b
}

// ruleBit adds the rule that is named at i.
func ruleBit(b []byte, i int, set *uint64) int {
	v, i := integer(b, i)
	if v >= 1 && v <= maxRules {
		*set |= 1 << (v - 1)
	}
	return i
}
