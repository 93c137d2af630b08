package launcher

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan"
)

// A memo is a start that was found once: which program to execute, and what becomes of the environment. The next
// `seam exec` of the same kind is made from it before there is a Go runtime (fastexec/src/fastexec.c), if
//
//   - the key is the same: who we are, the boot, which seam this is, the variables that it reads, the
//     arguments up to the program's name, and the current directory, if that is relative;
//   - all that the start was found from is as it was (watches).
//
// Whatever else there may be to say, an error or a warning, is not remembered, and so is said each time. Memos are in
// the cache, named by their keys; there are never many.

// The limits of fastexec.c.
const (
	maxMemoKey  = 48 << 10 // bytes
	maxMemo     = 128 << 10
	maxMemoArgs = 64
	maxMemoVars = 64
)

// mostMemos is how many there may be; of more, the oldest go, until fewMemos are left.
const (
	mostMemos = 256
	fewMemos  = 192
)

const memoMagic = "seamst01"

// memoVariables are, beside SEAM_*, those that a start depends on or sets.
var memoVariables = []string{"PATH", "HOME", envPreload, "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TMPDIR"}

// memoLines are the lines of /proc/self/status that say who we are.
var memoLines = []string{"Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:"}

// CheckWatched is Check for a target of which the start is to be remembered.
func CheckWatched(argv, environ []string) (*Target, error) {
	w := newWatches()
	w.cwd = len(argv) > 0 && relative(argv[0])
	return check(argv, environ, w)
}

// relative: a path that depends on the current directory.
func relative(path string) bool { return strings.Contains(path, "/") && !strings.HasPrefix(path, "/") }

// Empty notes that the start depends on there being nothing in a folder.
func (t *Target) Empty(folder string) { t.seen.empty(folder) }

// Anew says that the start is not to be remembered.
func (t *Target) Anew(why string) { t.seen.never(why) }

// Remember writes the memo of a start, for the next one. args are seam's arguments, up to the program's name and with it.
// It returns why there will be none, for those who want to know.
func (c *Cache) Remember(t *Target, p *Prepared, spec *hooks.Spec, args, environ []string) error {
	if v, _ := lookupEnv(environ, "SEAM_MEMO"); v == "off" {
		return fmt.Errorf("SEAM_MEMO=off")
	}
	w := t.seen
	if w == nil {
		return fmt.Errorf("nothing was watched")
	}
	first := cacheCandidates(environ)[0]
	if first != c.dir || first == "/tmp/"+filepath.Base(first) {
		return fmt.Errorf("%s is not where fastexec looks", c.dir)
	}
	c.watchStart(w, p, spec)
	if w.doubt != "" {
		return fmt.Errorf("%s", w.doubt)
	}
	key, err := memoKey(args, environ)
	if err != nil {
		return err
	}
	text, err := encodeMemo(key, w.list, t.Path, environ, p.Injection)
	if err != nil {
		return err
	}
	dir, err := c.sub("starts")
	if err != nil {
		return err
	}
	c.fewer(dir)
	h := fnv.New64a()
	h.Write(key)
	return writeFile(filepath.Join(dir, fmt.Sprintf("%016x", h.Sum64())), 0o600, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
}

// watchStart notes what was not looked at by way of the target: seam itself, its library, the spec, the plans.
func (c *Cache) watchStart(w *watches, p *Prepared, spec *hooks.Spec) {
	if len(p.Warnings) > 0 {
		w.never("there are warnings")
	}
	// Rules have seeds, and much of them comes out of files; probes of files are by names that links can change.
	if len(spec.Rules) > 0 || len(spec.Debug) > 0 || spec.Control {
		w.never("the spec has rules, or folders of debug files, or is a collector's")
	}
	for i := range spec.Probes {
		if strings.Contains(spec.Probes[i].Lib, "/") {
			w.never("a probe names a file")
		}
	}
	w.own("/proc/self/exe")
	w.mount(c.dir)
	w.folder(spec.Plans)
	w.own(p.Spec)
	library, err := c.LibraryFile()
	if err != nil {
		w.never(err.Error())
		return
	}
	dir := filepath.Dir(library)
	for _, d := range []string{filepath.Dir(filepath.Dir(dir)), filepath.Dir(dir), dir} {
		w.folder(d)
	}
	w.mount(dir)
	top, empty := filepath.Join(dir, viewsName), filepath.Join(dir, emptyName)
	for _, f := range []string{library, top, empty, filepath.Join(empty, libraryName)} {
		w.own(f)
	}
	hash := spec.Hash()
	for _, id := range p.planned {
		made, err := plan.Load(spec.Plans, hash, id)
		if err != nil {
			w.never(err.Error())
			return
		}
		w.own(plan.File(spec.Plans, hash, id))
		for _, d := range made.Deps {
			w.dep(d)
		}
	}
}

// memoKey is what fastexec.c makes of the same.
func memoKey(args, environ []string) ([]byte, error) {
	if len(args) > maxMemoArgs {
		return nil, fmt.Errorf("more than %d arguments before the program", maxMemoArgs)
	}
	var b bytes.Buffer
	add := func(s string) {
		b.WriteString(s)
		b.WriteByte(0)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(status)) {
		if slices.ContainsFunc(memoLines, func(name string) bool { return strings.HasPrefix(line, name) }) {
			b.WriteString(line)
		}
	}
	b.WriteByte(0)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, err
	}
	add(string(boot))
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	add(exe)
	for _, kv := range environ {
		if memoVariable(kv) {
			add(kv)
		}
	}
	b.WriteByte(0)
	for _, a := range args {
		add(a)
	}
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(args))))
	if relative(args[len(args)-1]) {
		// Not os.Getwd, which believes PWD.
		var buf [unix.PathMax]byte
		n, err := unix.Getcwd(buf[:])
		if err != nil {
			return nil, err
		}
		b.Write(buf[:n])
	}
	if b.Len() > maxMemoKey {
		return nil, fmt.Errorf("the key is longer than %d bytes", maxMemoKey)
	}
	return b.Bytes(), nil
}

func memoVariable(kv string) bool {
	name, _, _ := strings.Cut(kv, "=")
	return strings.HasPrefix(kv, "SEAM_") || slices.Contains(memoVariables, name)
}

// encodeMemo writes it as fastexec.c reads it: struct memo, the key, the watches, and strings: the file to execute,
// what becomes of each variable of the key, "" if it goes, and the variables that come.
func encodeMemo(key []byte, list []watch, path string, environ []string, in Injection) ([]byte, error) {
	le := binary.LittleEndian
	b := make([]byte, 40)
	pad := func() {
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
	}
	b = append(b, key...)
	pad()
	for _, w := range list {
		n := len(w.path)/8*8 + 8
		b = le.AppendUint32(b, uint32(w.kind))
		b = le.AppendUint32(b, uint32(n))
		for _, v := range w.id {
			b = le.AppendUint64(b, v)
		}
		b = append(b, w.path...)
		b = append(b, make([]byte, n-len(w.path))...)
	}
	text := func(s string) { b = append(append(b, s...), 0) }
	text(path)
	changed := 0
	for _, kv := range environ {
		if memoVariable(kv) {
			changed++
			kv, keep := in.variable(kv)
			if !keep {
				kv = ""
			}
			text(kv)
		}
	}
	added := in.added(environ)
	for _, kv := range added {
		text(kv)
	}
	if changed > maxMemoVars || len(b) >= maxMemo {
		return nil, fmt.Errorf("the memo is too large")
	}
	copy(b, memoMagic)
	for i, v := range []int{len(b), len(key), len(list), changed, len(added)} {
		le.PutUint32(b[16+4*i:], uint32(v))
	}
	h := fnv.New64a()
	h.Write(b[16:])
	le.PutUint64(b[8:], h.Sum64())
	return b, nil
}

// fewer removes the oldest memos when there are too many.
func (c *Cache) fewer(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < mostMemos {
		return
	}
	age := func(e os.DirEntry) int64 {
		st, err := e.Info()
		if err != nil {
			return 0
		}
		return st.ModTime().UnixNano()
	}
	ages := make(map[string]int64, len(entries))
	for _, e := range entries {
		ages[e.Name()] = age(e)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int {
		return int(min(max(ages[a.Name()]-ages[b.Name()], -1), 1))
	})
	for _, e := range entries[:len(entries)-fewMemos] {
		os.Remove(filepath.Join(dir, e.Name()))
	}
}
