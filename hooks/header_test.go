package hooks

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// headers declare what libc's and sqlite's libraries export.
var headers = strings.Fields(`aio.h argz.h arpa/inet.h arpa/nameser.h assert.h crypt.h ctype.h dirent.h dlfcn.h err.h errno.h error.h execinfo.h
	fcntl.h fmtmsg.h fnmatch.h ftw.h fts.h getopt.h gnu/libc-version.h glob.h grp.h iconv.h ifaddrs.h inttypes.h langinfo.h libgen.h libintl.h limits.h link.h locale.h
	malloc.h mntent.h mqueue.h net/if.h netdb.h netinet/ether.h netinet/in.h netinet/tcp.h nl_types.h poll.h pthread.h pty.h pwd.h regex.h resolv.h sched.h search.h
	semaphore.h setjmp.h shadow.h signal.h spawn.h stdio.h stdio_ext.h stdlib.h string.h strings.h sys/acct.h sys/auxv.h sys/epoll.h sys/eventfd.h sys/fanotify.h
	sys/file.h sys/fsuid.h sys/inotify.h sys/io.h sys/ioctl.h sys/ipc.h sys/klog.h sys/mman.h sys/mount.h sys/msg.h sys/personality.h sys/pidfd.h sys/prctl.h
	sys/ptrace.h sys/quota.h sys/random.h sys/reboot.h sys/resource.h sys/select.h sys/sem.h sys/sendfile.h sys/shm.h sys/signalfd.h sys/socket.h sys/stat.h
	sys/statfs.h sys/statvfs.h sys/swap.h sys/syscall.h sys/sysinfo.h sys/sysmacros.h sys/syslog.h sys/time.h sys/timerfd.h sys/times.h sys/timex.h sys/types.h sys/ucontext.h
	sys/uio.h sys/un.h sys/utsname.h sys/wait.h sys/xattr.h termios.h threads.h time.h ucontext.h ulimit.h unistd.h utime.h utmp.h utmpx.h wchar.h wctype.h wordexp.h
	linux/memfd.h linux/fs.h linux/sockios.h linux/vm_sockets.h linux/netlink.h sqlite3.h`)

// undeclared are functions that are exported, but in no header: entry points
// of old programs, parts of others, and system calls. Most are second names of
// functions that are declared, and share their prototype.
var undeclared = strings.Fields(`_IO_getc _IO_putc __clone __cxa_atexit __cxa_finalize __dn_comp __dn_expand __dn_skipname __fork __fxstat __fxstat64 __fxstatat __fxstatat64
	__isoc99_fscanf __isoc99_scanf __isoc99_sscanf __isoc99_vfscanf __isoc99_vscanf __isoc99_vsscanf __libc_fork __longjmp_chk __lxstat __lxstat64
	__res_mkquery __res_nquery __res_nsearch __res_nsend __res_query __res_querydomain __res_search __res_send __secure_getenv __setpgid __sigaction __sigpause
	__strdup __strndup __vfork __xmknod __xmknodat __xpg_strerror_r __xstat __xstat64 arch_prctl capget capset bsd_signal cfree delete_module gets init_module llseek pivot_root`)

// probeC compiles a C file that declares one variable for each expression's
// type, and returns the file's debug data. Expressions that do not compile are
// left out, and returned.
func probeC(t *testing.T, decls func(skip map[string]bool) string) (*dwarf.Data, map[string]bool) {
	t.Helper()
	dir := t.TempDir()
	src, obj := filepath.Join(dir, "probe.c"), filepath.Join(dir, "probe.o")
	skip := map[string]bool{}
	for range 3 {
		var b bytes.Buffer
		b.WriteString("#define _GNU_SOURCE\n#define _LARGEFILE64_SOURCE\n#define _FORTIFY_SOURCE 2\n#include <stdarg.h>\n#include <stdbool.h>\n")
		for _, h := range headers {
			fmt.Fprintf(&b, "#include <%s>\n", h)
		}
		b.WriteString(decls(skip))
		if err := os.WriteFile(src, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("gcc", "-std=gnu11", "-O1", "-g", "-w", "-fmax-errors=0", "-fno-builtin", "-fno-eliminate-unused-debug-types", "-c", "-o", obj, src).CombinedOutput()
		if err != nil {
			found := false
			for _, m := range undeclaredName.FindAllSubmatch(out, -1) {
				found = found || !skip[string(m[1])]
				skip[string(m[1])] = true
			}
			if !found {
				t.Fatalf("gcc: %v\n%s", err, out[:min(len(out), 4000)])
			}
			continue
		}
		f, err := elf.Open(obj)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d, err := f.DWARF()
		if err != nil {
			t.Fatal(err)
		}
		return d, skip
	}
	t.Fatal("gcc finds more undeclared names each time")
	return nil, nil
}

var undeclaredName = regexp.MustCompile(`error: [‘'](\w+)[’'] undeclared`)

// variables are the types of the variables seam_NAME.
func variables(t *testing.T, d *dwarf.Data) map[string]dwarf.Type {
	t.Helper()
	m := map[string]dwarf.Type{}
	for r := d.Reader(); ; {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			return m
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		name, ok := strings.CutPrefix(name, "seam_")
		off, typed := e.Val(dwarf.AttrType).(dwarf.Offset)
		if e.Tag != dwarf.TagVariable || !ok || !typed {
			continue
		}
		if m[name], err = d.Type(off); err != nil {
			t.Fatalf("type of %s: %v", name, err)
		}
	}
}

// bare is a type without its names and qualifiers.
func bare(t dwarf.Type) dwarf.Type {
	for {
		switch u := t.(type) {
		case *dwarf.TypedefType:
			t = u.Type
		case *dwarf.QualType:
			t = u.Type
		default:
			return t
		}
	}
}

func isConst(t dwarf.Type) bool {
	for {
		switch u := t.(type) {
		case *dwarf.TypedefType:
			t = u.Type
		case *dwarf.QualType:
			if u.Qual == "const" {
				return true
			}
			t = u.Type
		default:
			return false
		}
	}
}

// intLike: the size of an integer, or of what is passed like one; 0: none.
func intLike(t dwarf.Type) (size int64, signed, plain bool) {
	switch u := bare(t).(type) {
	case *dwarf.IntType, *dwarf.CharType:
		return u.Size(), true, true
	case *dwarf.UintType, *dwarf.UcharType, *dwarf.BoolType:
		return u.Size(), false, true
	case *dwarf.EnumType:
		return u.Size(), false, false
	case *dwarf.StructType:
		if u.ByteSize <= 8 {
			return u.ByteSize, false, false
		}
	}
	return 0, false, false
}

// mismatch says what is wrong with an argument, or with a result; "" nothing.
func mismatch(a *Arg, c dwarf.Type, result bool) string {
	if a.Type == TVoid {
		if _, ok := bare(c).(*dwarf.VoidType); c != nil && !ok {
			return "not void: " + c.String()
		}
		return ""
	}
	if c == nil {
		return "void"
	}
	if a.Type == TFloat {
		f, ok := bare(c).(*dwarf.FloatType)
		if !ok || f.ByteSize != int64(a.Size) {
			return "not a floating number of that size: " + c.String()
		}
		return ""
	}
	ptr, isPtr := bare(c).(*dwarf.PtrType)
	behind := a.Out && a.Type != TStruct || a.Type == TString || a.Type == TBuffer || a.Type == TSockaddr || a.Type == TStrv || a.Type == TSQL || a.Type == TStruct || a.Type == TVec
	if !behind && a.Type != TPtr {
		size, signed, plain := intLike(c)
		switch {
		case size == 0 && a.Size == 8 && isPtr && a.Type != TInt:
			return "" // a pointer, shown as a number
		case a.Set == "ioctl":
			return "" // the kernel looks at 32 bits of the long
		case size != int64(a.Size):
			return fmt.Sprintf("not an integer of %d bytes: %s of %d", a.Size, c, c.Size())
		case plain && a.Type == TInt && !signed && !slices.Contains([]string{"uid_t", "gid_t", "id_t"}, strings.TrimPrefix(typeName(c), "__")), plain && a.Type == TUint && signed:
			return fmt.Sprintf("%s has the other sign: %s", a.Type, c)
		}
		return ""
	}
	if !isPtr {
		if size, _, plain := intLike(c); a.Type == TPtr && size == 8 && (!plain || typeName(c) == "jmp_buf") {
			return "" // a union, passed like a pointer
		}
		if s, ok := bare(c).(*dwarf.StructType); ok && s.Kind == "union" && a.Type == TSockaddr {
			return "" // glibc's union of pointers to all kinds of addresses
		}
		return "not a pointer: " + c.String()
	}
	to := bare(ptr.Type)
	_, void := to.(*dwarf.VoidType)
	void = void || ptr.Type == nil
	if a.Out && isConst(ptr.Type) {
		return "out, but what it points at is const: " + c.String()
	}
	switch a.Type {
	case TString:
		if a.Ref {
			return ""
		}
		if size, _, _ := intLike(ptr.Type); size != 1 || void {
			return "not a string: " + c.String()
		}
		if !a.Out && !result && !a.Secret && !isConst(ptr.Type) && !slices.Contains(inPlace, a.Name) {
			return "a string that may not be one yet: " + c.String()
		}
	case TStruct, TVec:
		if len(a.Fields) == 1 && a.Fields[0].Name == "" {
			return mismatchElem(&a.Fields[0], ptr.Type)
		}
		s, ok := to.(*dwarf.StructType)
		if !ok && !void && a.Set != "fdpair" {
			return "not a structure: " + c.String()
		}
		if ok && strings.TrimSuffix(s.StructName, "64") != cName(a.Set) && strings.TrimPrefix(typeName(ptr.Type), "__") != cName(a.Set) {
			return "not struct " + a.Set + ": " + c.String()
		}
		if a.Type == TStruct && ok && s.ByteSize < int64(a.Cap) && !strings.HasSuffix(a.Set, "2") {
			return fmt.Sprintf("more is read than struct %s has: %d of %d", a.Set, a.Cap, s.ByteSize)
		}
		if a.Type == TVec && ok && s.ByteSize != int64(a.Unit) {
			return fmt.Sprintf("elements of %d bytes, not %d", s.ByteSize, a.Unit)
		}
		if a.Type == TStruct && !a.Out && !isConst(ptr.Type) && !void && !slices.Contains(inOut, a.Set) {
			return "read before the call, which may be there to fill it in: " + c.String()
		}
	case TInt, TUint, TFD, TFlags, TEnum, TPid, TMode, TErrno:
		if size, _, _ := intLike(ptr.Type); size != int64(a.Size) {
			return fmt.Sprintf("not a pointer to an integer of %d bytes: %s", a.Size, c)
		}
	}
	return ""
}

func mismatchElem(f *Field, c dwarf.Type) string {
	a := Arg{Type: f.Type, Size: uint8(f.Size)}
	if a.Type == TPtr {
		a.Type = TUint
	}
	return mismatch(&a, c, false)
}

// inPlace are strings that the function changes, and reads first.
var inPlace = []string{"template", "s", "path"}

// inOut are structures that functions read, whether they change them or not.
var inOut = []string{"pollfd", "epoll_event", "msghdr", "mmsghdr", "timeval", "timespec", "tm", "timeval2", "timespec2", "termios", "sigset", "iovec"}

func typeName(t dwarf.Type) string {
	switch u := t.(type) {
	case *dwarf.TypedefType:
		return u.Name
	case *dwarf.QualType:
		return typeName(u.Type)
	}
	return ""
}

// cName is the C name of a structure that seam calls otherwise.
func cName(set string) string {
	switch set {
	case "sigset":
		return "sigset_t"
	case "sigaltstack":
		return "stack_t"
	case "siginfo":
		return "siginfo_t"
	case "timespec2", "timeval2": // arrays of two
		return strings.TrimSuffix(set, "2")
	}
	return set
}

// Each prototype is the one that the system's headers declare: as many
// arguments, of the same kinds and sizes, and what is read behind them is there.
func TestPrototypesMatchHeaders(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Fatal("no gcc: it is needed to build seam, too")
	}
	names := slices.DeleteFunc(Names(), func(n string) bool { return elsewhere[n] })
	d, missing := probeC(t, func(skip map[string]bool) string {
		var b strings.Builder
		for _, n := range names {
			if !skip[n] {
				fmt.Fprintf(&b, "#undef %s\n__typeof__(&%s) seam_%s;\n", n, n, n)
			}
		}
		return b.String()
	})
	types := variables(t, d)
	for _, n := range names {
		if missing[n] != slices.Contains(undeclared, n) {
			t.Errorf("%s: no header declares it: %v; said to be so: %v", n, missing[n], slices.Contains(undeclared, n))
		}
		if missing[n] {
			continue
		}
		h, _ := Lookup("", n)
		if types[n] == nil {
			t.Errorf("%s: no debug data", n)
			continue
		}
		fn, ok := bare(bare(types[n]).(*dwarf.PtrType).Type).(*dwarf.FuncType)
		if !ok {
			t.Errorf("%s is not a function: %v", n, types[n])
			continue
		}
		compare(t, h, fn)
	}
	t.Logf("%d functions compared, %d are in no header", len(names)-len(missing), len(missing))
}

func compare(t *testing.T, h *Hook, fn *dwarf.FuncType) {
	t.Helper()
	params, variadic := fn.ParamType, false
	if k := len(params); k > 0 {
		if _, ok := params[k-1].(*dwarf.DotDotDotType); ok {
			params, variadic = params[:k-1], true
		}
	}
	if !variadic && h.Variadic || len(params) > len(h.Args) || !variadic && len(params) < len(h.Args) || variadic && !h.Variadic {
		t.Errorf("%s: %d arguments, variadic %v; the header has %d, %v: %s", h.Name, len(h.Args), h.Variadic, len(params), variadic, fn)
		return
	}
	if why := mismatch(&h.Ret, fn.ReturnType, true); why != "" {
		t.Errorf("%s: the result: %s", h.Name, why)
	}
	for i, c := range params {
		if why := mismatch(&h.Args[i], c, false); why != "" {
			t.Errorf("%s: argument %s (%s): %s", h.Name, h.Args[i].Name, h.Args[i].Type, why)
		}
	}
}

// The structures that are declared are the headers', field by field.
func TestStructsMatchHeaders(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Fatal("no gcc: it is needed to build seam, too")
	}
	known := declared()
	if known.err != nil {
		t.Fatalf("%v\n%s\n%s", known.err, known.err.Caret(), known.err.Hint)
	}
	d, _ := probeC(t, func(map[string]bool) string {
		var b strings.Builder
		for n := range known.structs {
			c := "struct " + n
			if cName(n) != n {
				c = cName(n)
			}
			fmt.Fprintf(&b, "%s seam_%s;\n", c, n)
		}
		return b.String()
	})
	types := variables(t, d)
	for n, l := range known.structs {
		s, ok := bare(types[n]).(*dwarf.StructType)
		if !ok {
			t.Errorf("struct %s: %v", n, types[n])
			continue
		}
		if int64(l.size) > s.ByteSize {
			t.Errorf("struct %s: %d bytes, the header's has %d", n, l.size, s.ByteSize)
		}
		if stride := int64(l.size); stride != s.ByteSize && usedAsElement(n) {
			t.Errorf("struct %s is in arrays, and has %d bytes instead of %d", n, stride, s.ByteSize)
		}
		for i := range l.fields {
			f := &l.fields[i]
			members := flat(s)
			j := slices.IndexFunc(members, func(c *dwarf.StructField) bool {
				return c.Name == f.Name || n == "sigset" || n == "sigaction" && f.Name == "sa_handler" && c.Name == "__sigaction_handler"
			})
			if j < 0 {
				t.Errorf("struct %s has no %s", n, f.Name)
				continue
			}
			c := members[j]
			if c.ByteOffset != int64(f.Off) || c.Type.Size() != int64(f.bytes()) && f.Set != "signals" {
				t.Errorf("struct %s: %s is %d bytes at %d; in the header %d at %d", n, f.Name, f.bytes(), f.Off, c.Type.Size(), c.ByteOffset)
			}
			if size, signed, plain := intLike(c.Type); plain && size > 0 && f.Count == 0 && (f.Type == TInt && !signed || f.Type == TUint && signed) {
				t.Errorf("struct %s: %s has the other sign", n, f.Name)
			}
		}
	}
}

// flat are the members of a structure, and of the anonymous ones in it.
func flat(s *dwarf.StructType) []*dwarf.StructField {
	var all []*dwarf.StructField
	for _, f := range s.Field {
		if in, ok := bare(f.Type).(*dwarf.StructType); ok && f.Name == "" {
			for _, m := range flat(in) {
				all = append(all, &dwarf.StructField{Name: m.Name, Type: m.Type, ByteOffset: f.ByteOffset + m.ByteOffset})
			}
			continue
		}
		all = append(all, f)
	}
	return all
}

func usedAsElement(set string) bool {
	for _, n := range Names() {
		h, _ := Lookup("", n)
		if slices.ContainsFunc(h.Args, func(a Arg) bool { return a.Type == TVec && a.Set == set }) {
			return true
		}
	}
	return false
}

// Every constant of the sets has the value that the headers give it.
func TestConstantsMatchHeaders(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Fatal("no gcc: it is needed to build seam, too")
	}
	want := map[string]uint64{}
	note := func(name string, v uint64) {
		if len(name) > 1 && name != "all" && name != "ALL" {
			want[name] = v
		}
	}
	for _, s := range sets() {
		for _, n := range slices.Concat(s.vals, s.bits) {
			note(n.name, n.v)
		}
	}
	for set, s := range declared().sets {
		for _, e := range s.vals {
			if set != "signals" {
				note(e.Name, uint64(e.Value))
			}
		}
	}
	for i, e := range declared().sets["signals"].vals {
		if e.Mask == 0 && e.Value > 0 && e.Value&(e.Value-1) == 0 && SignalName(bits.TrailingZeros64(uint64(e.Value))+1) != e.Name {
			t.Errorf("signal %d: %s", i, e.Name)
		}
	}
	names := slices.Sorted(maps.Keys(want))
	// An array of v+1 elements would not do for negative values: compare instead.
	d, missing := probeC(t, func(skip map[string]bool) string {
		var b strings.Builder
		for _, n := range names {
			if !skip[n] {
				fmt.Fprintf(&b, "char seam_%s[(unsigned)(%s) == %#xu ? 1 : 2];\n", n, n, uint32(want[n]))
			}
		}
		return b.String()
	})
	types := variables(t, d)
	for _, n := range names {
		if missing[n] {
			t.Errorf("%s: no header has it", n)
			continue
		}
		if n == "O_LARGEFILE" {
			continue // 0 for 64-bit programs; the kernel's bit is what is seen
		}
		if types[n].Size() != 1 {
			t.Errorf("%s is not %#x", n, want[n])
		}
	}
	t.Logf("%d constants compared", len(names))
}
