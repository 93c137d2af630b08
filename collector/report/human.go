package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

func appendInt(b []byte, v int64) []byte { return strconv.AppendInt(b, v, 10) }

// Duration formats nanoseconds with three significant digits: "850ns",
// "12.3µs", "1.07s", "2m05s".
func Duration(ns int64) string {
	f := float64(ns)
	switch {
	case ns < 0:
		return "-" + Duration(-max(ns, -1<<62))
	case ns < 1000:
		return itoa(ns) + "ns"
	case f < 999.5e3:
		return three(f/1e3) + "µs"
	case f < 999.5e6:
		return three(f/1e6) + "ms"
	case f < 59.95e9:
		return three(f/1e9) + "s"
	}
	s := (ns + 5e8) / 1e9
	if s < 3600 {
		return itoa(s/60) + "m" + two(s%60) + "s"
	}
	return itoa(s/3600) + "h" + two(s/60%60) + "m"
}

func two(v int64) string {
	if v < 10 {
		return "0" + itoa(v)
	}
	return itoa(v)
}

func three(f float64) string {
	switch {
	case f < 9.995:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 99.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

// Bytes formats a size with binary units: "0", "512 B", "1.50 KiB".
func Bytes(n uint64) string {
	if n == 0 {
		return "0"
	}
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	f := float64(n)
	for _, u := range [...]string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if f /= 1024; f < 999.5 {
			return three(f) + " " + u
		}
	}
	return three(f/1024) + " EiB"
}

// Count formats a number with separators: "1,234,567".
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	if len(s) <= 3 {
		return s
	}
	var b strings.Builder
	first := len(s) % 3
	b.WriteString(s[:first])
	for i := first; i < len(s); i += 3 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s[i : i+3])
	}
	return b.String()
}

// Escape returns s fit for a terminal: control characters, invalid UTF-8 and
// what changes the direction of text are shown as escapes.
func Escape(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return string(AppendEscaped(nil, []byte(s)))
		}
	}
	return s
}

// AppendEscaped appends s as Escape does.
func AppendEscaped(b, s []byte) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f {
			b = append(b, c)
			i++
			continue
		}
		switch c {
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			r, n := utf8.DecodeRune(s[i:])
			if n > 1 && unicode.IsPrint(r) {
				b = append(b, s[i:i+n]...)
				i += n
				continue
			}
			if n > 1 {
				if r <= 0xffff {
					b = append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
				} else {
					b = append(b, '\\', 'U')
					for k := 28; k >= 0; k -= 4 {
						b = append(b, hex[r>>k&15])
					}
				}
				i += n
				continue
			}
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		}
		i++
	}
	return b
}

// clip bounds a string from a peer.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}

func baseName(s string) string {
	return s[strings.LastIndexByte(s, '/')+1:]
}

// width is the number of columns s takes, near enough: one per rune.
func width(s string) int { return utf8.RuneCountInString(s) }

// fit cuts s to n columns and marks the cut.
func fit(s string, n int) string {
	if n <= 0 || width(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}

// fitMiddle cuts the middle out of s, for paths, whose ends tell most.
func fitMiddle(s string, n int) string {
	if n <= 0 || width(s) <= n {
		return s
	}
	r := []rune(s)
	tail := (n - 1) * 2 / 3
	return string(r[:n-1-tail]) + "…" + string(r[len(r)-tail:])
}
