package hooks

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lists reads the lists that a rule names as @FILE#NAME.
type Lists func(file, name string) ([]string, error)

// noWord is SEAM_NO_WORD of preload/core/abi.h.
const noWord = 0xff

// list reads what follows in=: A|B|C, or @FILE#NAME.
func (s *probeScanner) list(f *Filter) {
	at := s.pos
	var text string
	if at < len(s.text) && (s.text[at] == '"' || s.text[at] == '\'') {
		text, _ = s.quoted()
	} else {
		text = s.word()
	}
	if s.err != nil {
		return
	}
	ref, inFile := strings.CutPrefix(text, "@")
	switch {
	case text == "":
		s.fail(at, "expected a list", "in=/srv/www|/tmp, in=10.0.0.0/8|unix, in=@policy.yaml#files")
	case !inFile:
		f.Set = strings.Split(text, "|")
		if slices.Contains(f.Set, "") {
			s.fail(at, "an empty entry in the list", "")
		}
	case s.lists == nil:
		s.fail(at, "a list in a file is for --deny", "")
	default:
		file, name, ok := strings.Cut(ref, "#")
		if !ok {
			s.fail(at, "which list of the file is not said", "for instance in=@"+ref+"#files")
			return
		}
		set, err := s.lists(file, name)
		if err != nil {
			s.fail(at, err.Error(), "")
			return
		}
		f.Set = set
	}
	f.Set = withTargets(f.Set)
	if len(f.Set) > maxSet {
		s.fail(at, "more than "+strconv.Itoa(maxSet)+" entries", "name folders instead of files")
	}
}

// maxSet is the most entries of a list.
const maxSet = 16384

// withTargets adds what links among the names of files lead to: the core compares
// what a name leads to.
func withTargets(set []string) []string {
	out := make([]string, 0, len(set))
	for _, s := range set {
		if !strings.HasPrefix(s, "/") {
			out = append(out, s)
			continue
		}
		file, self := CutSelf(s)
		for _, f := range []string{filepath.Clean(file), Target(filepath.Clean(file))} {
			if self {
				f = strings.TrimSuffix(f, "/") + "/."
			}
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CutSelf cuts the end of /dir/., which stands for the folder without what is in it.
func CutSelf(file string) (dir string, self bool) {
	if dir, self = strings.CutSuffix(file, "/."); self && dir == "" {
		dir = "/"
	}
	return dir, self
}

// Target is where a name leads to; of what is not there, where it would be.
func Target(file string) string {
	real, err := filepath.EvalSymlinks(file)
	if err == nil || file == "/" {
		return cmp.Or(real, file)
	}
	return filepath.Join(Target(filepath.Dir(file)), filepath.Base(file))
}

// resolveIn binds a list to the argument it is for: an address, SQL, or files.
func resolveIn(h *Hook, f *Filter, c CFilter) (CFilter, error) {
	bad := func(msg, hint string) (CFilter, error) {
		return CFilter{}, &FilterError{Func: h.Name, Msg: msg, Hint: hint}
	}
	c.Set = f.Set
	i, hint := h.argIndex(f.Arg)
	switch {
	case f.Cmp != CmpEQ && f.Cmp != CmpNE:
		return bad("unknown comparison", "")
	case i >= 0 && h.Args[i].Type == TSockaddr:
		for _, s := range f.Set {
			if _, _, ok := addrRange(s); !ok {
				return bad("not a range of addresses: "+strconv.Quote(s), "10.0.0.0/8, 10.0.0.1:443, [::1]:80, unix:/run/")
			}
		}
		one, err := resolveFilter(h, &Filter{Kind: FilterAddr, Arg: f.Arg, Cmp: CmpEQ, Str: "unix"})
		c.What, c.Arg, c.Width = FilterAddrs, one.Arg, one.Width
		binary.LittleEndian.PutUint32(c.Str[:], uint32(len(f.Set)))
		c.Len = 8
		return c, err
	case i >= 0 && h.Args[i].Type == TSQL:
		a := &h.Args[i]
		if a.Word < 0 {
			return bad("argument "+a.Name+" is not captured", "")
		}
		if a.Set == utf16Set {
			c.Set = nil // texts of two-byte characters are in no list
		}
		c.What, c.Arg, c.Len = FilterShape, uint8(a.Word), 4
		c.Str[0], c.Str[1] = uint8(a.Word), noWord
		if a.Len >= 0 && !a.LenPtr && h.Args[a.Len].Word >= 0 {
			c.Str[1] = uint8(h.Args[a.Len].Word)
		}
		if !strings.HasPrefix(h.Name, "sqlite3_prepare") {
			c.Str[2] = 1 // it runs all of the text
		}
		return c, nil
	case i >= 0 && (h.Args[i].Type == TString || h.Args[i].Type == TFD && h.Args[i].Set != dirfdSet), (f.Arg == "path" || f.Arg == "names") && i < 0:
	case i < 0:
		return bad("no argument "+strconv.Quote(f.Arg), hint)
	default:
		return bad("argument "+f.Arg+" is not the name of a file or an address", "")
	}
	for _, s := range f.Set {
		if !strings.HasPrefix(s, "/") {
			return bad("not an absolute path: "+strconv.Quote(s), "")
		}
	}
	names := []int{i}
	if i < 0 {
		if names = h.pathArgs(); f.Arg == "names" {
			names = h.FileArgs()
		}
		if len(names) == 0 {
			return bad("it names no file", "")
		}
	}
	b := c.Str[:20]
	b[0], b[8] = byte(len(names)), noWord
	for k, i := range names {
		a := &h.Args[i]
		if a.Word < 0 || a.Out || a.Secret {
			return bad("argument "+a.Name+" can't be compared", "")
		}
		if a.Type == TFD {
			b[1] = 1
		}
		b[2+k], b[4+k] = byte(a.Word), noWord
		if i > 0 && h.Args[i-1].Set == dirfdSet && h.Args[i-1].Word >= 0 {
			b[4+k] = byte(h.Args[i-1].Word)
		}
		if keepsLink(h.Name) {
			b[6+k] = 1
		}
	}
	for i := range h.Args {
		a := &h.Args[i]
		var nofollow, follow uint32
		switch {
		case a.Type != TFlags || a.Word < 0:
			continue
		case a.Set == "open":
			nofollow = unix.O_NOFOLLOW
		case a.Set == "at" || a.Set == "ataccess":
			nofollow, follow = unix.AT_SYMLINK_NOFOLLOW, unix.AT_SYMLINK_FOLLOW
		default:
			continue
		}
		b[8] = byte(a.Word)
		if f.Arg == "path" { // what a call without a name is about, too
			b[9] = 1
		}
		binary.LittleEndian.PutUint32(b[12:], nofollow)
		binary.LittleEndian.PutUint32(b[16:], follow)
	}
	c.Arg, c.Len = b[2], 20
	return c, nil
}

// pathArgs are the arguments that name files: all that the call would reach, so
// both of rename; or a descriptor, when there are none.
func (h *Hook) pathArgs() (names []int) {
	linkName := strings.HasPrefix(h.Name, "symlink") // what it points to is only a text
	for i := range h.Args {
		a := &h.Args[i]
		if a.Type != TString || a.Out || a.Secret || a.Word < 0 {
			continue
		}
		switch a.Name {
		case "from":
			if linkName {
				continue
			}
			fallthrough
		case "file", "to", "dir", "filename", "pathname", "target":
			if len(names) < 2 {
				names = append(names, i)
			}
		}
	}
	if len(names) == 0 {
		if i := h.pathArg(); i >= 0 && h.Args[i].Type == TFD {
			return []int{i}
		}
	}
	return names
}

// keepsLink: where the name ends in a link, the function is about the link.
func keepsLink(function string) bool {
	switch strings.TrimSuffix(strings.TrimLeft(function, "_"), "64") {
	case "lstat", "lxstat", "unlink", "unlinkat", "rmdir", "remove", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
		"readlink", "readlinkat", "readlink_chk", "readlinkat_chk", "mkdir", "mkdirat", "mkfifo", "mkfifoat", "mknod", "mknodat", "xmknod", "xmknodat",
		"lchown", "lchmod", "lutimes", "lsetxattr", "lgetxattr", "llistxattr", "lremovexattr", "mkstemp", "mkostemp", "mkdtemp":
		return true
	}
	return false
}

// AddrRange is what ~ compares with, as struct seam_addr_range and what follows it: n bytes.
func AddrRange(text string) (b [64]byte, n int, ok bool) { return addrRange(text) }

// AddrRangeText is the inverse.
func AddrRangeText(b []byte) string {
	if len(b) < 20 {
		return ""
	}
	if b[0] == 1 {
		if len(b) == 20 {
			return "unix"
		}
		return "unix:" + string(b[20:])
	}
	ip := netip.AddrFrom4([4]byte(b[4:8]))
	if b[0] == 10 {
		ip = netip.AddrFrom16([16]byte(b[4:20]))
	}
	switch port := binary.LittleEndian.Uint16(b[2:]); {
	case port != 0:
		return netip.AddrPortFrom(ip, port).String()
	case int(b[1]) != ip.BitLen():
		return netip.PrefixFrom(ip, int(b[1])).String()
	}
	return ip.String()
}

// FileArgs are the arguments that name files, by their index.
func (h *Hook) FileArgs() []int {
	l := h.pathArgs()
	if len(l) > 0 && h.Args[l[0]].Type == TFD {
		return nil
	}
	return l
}

// MaxShape is the longest shape that can be compared, bytes: SEAM_SQL_MOST of
// preload/core/abi.h.
const MaxShape = 4096
