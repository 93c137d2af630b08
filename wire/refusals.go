package wire

// AppendRefusals appends a refusal message for each entry of a plan's refusals,
// a msgpack array of [name, reason id, detail]. reason gives the name of an id.
// It stops at the first entry that is not as it should be.
func AppendRefusals(b []byte, object string, blob []byte, reason func(id uint8) string) []byte {
	n, i := array(blob, 0)
	for ; n > 0 && i >= 0; n-- {
		k, at := array(blob, i)
		if at < 0 || k < 3 {
			break
		}
		name, at := text(blob, at)
		id, at := integer(blob, at)
		detail, at := text(blob, at)
		if i = skipN(blob, at, k-3); i < 0 {
			break
		}
		b = AppendRefusal(b, object, string(name), reason(uint8(id)), string(detail))
	}
	return b
}
