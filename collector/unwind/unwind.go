// Package unwind walks a copy of a thread's stack, with the unwinding tables of the
// objects that its process has mapped, and names what it finds.
//
// It reads /proc/PID/maps and the objects' files, never the process's memory: a
// debugger's rights are not needed.
package unwind

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// MaxFrames is the most that Stack returns.
const MaxFrames = 64

// A Walker keeps what it has read of objects. It may be used by several goroutines.
type Walker struct {
	mu   sync.Mutex
	objs map[string]*object
}

// maxObjects bounds what is kept.
const maxObjects = 256

type object struct {
	size  int64
	mtime int64
	progs []elf.ProgHeader
	table *table
	syms  []symbol
}

type symbol struct {
	lo, hi uint64
	name   string
}

type mapping struct {
	lo, hi, off uint64
	path        string
}

// Stack names the callers of a function, the innermost first: "lib!function+0x12",
// "lib+0x1234" where no symbol is near, and "0x7f…" where nothing is mapped. pc is where
// the function returns to; sp and bp are the registers it then finds, and stack is memory from
// sp up. A frame behind "?" was found by the frame pointer alone, where an object has no table.
// Frames of objects for which hide holds are left out.
func (w *Walker) Stack(pid int, pc, sp, bp uint64, stack []byte, hide func(path string) bool) (out []string) {
	maps := readMaps(pid)
	m := memory{sp, stack}
	var r regs
	r.set(regIP, pc)
	r.set(regSP, sp)
	r.set(regBP, bp)
	exact, guess := false, ""
	for range 4 * MaxFrames {
		ip := r.v[regIP]
		if ip == 0 || len(out) == MaxFrames {
			break
		}
		at := ip - 1 // within the call
		if exact {
			at = ip
		}
		k := sort.Search(len(maps), func(i int) bool { return maps[i].hi > at })
		if k == len(maps) || at < maps[k].lo {
			out = append(out, guess+"0x"+strconv.FormatUint(ip, 16))
			break
		}
		o, bias := w.object(pid, &maps[k])
		if !hide(maps[k].path) {
			out = append(out, guess+name(o, maps[k].path, at-bias, ip-bias, ip))
		}
		var f *fde
		if o != nil {
			f = o.table.find(at - bias)
		}
		if f != nil {
			exact = f.cie.signal
			if !f.caller(&r, m, at-bias) {
				break
			}
			continue
		}
		// no table: code that was made at run time, most likely
		b, ok := r.get(regBP)
		next, ok1 := m.word(b)
		ret, ok2 := m.word(b + 8)
		if !ok || !ok1 || !ok2 || b < r.v[regSP] || !executable(maps, ret) {
			break
		}
		r = regs{}
		r.set(regIP, ret)
		r.set(regSP, b+16)
		r.set(regBP, next)
		exact, guess = false, "? "
	}
	return out
}

func executable(maps []mapping, addr uint64) bool {
	k := sort.Search(len(maps), func(i int) bool { return maps[i].hi > addr })
	return k < len(maps) && addr >= maps[k].lo
}

// readMaps lists what a process has mapped executable, by address.
func readMaps(pid int) (out []mapping) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
		if len(f) < 6 || !strings.Contains(f[1], "x") {
			continue
		}
		lo, hi, _ := strings.Cut(f[0], "-")
		m := mapping{path: strings.TrimLeft(f[5], " ")}
		m.lo, _ = strconv.ParseUint(lo, 16, 64)
		m.hi, _ = strconv.ParseUint(hi, 16, 64)
		m.off, _ = strconv.ParseUint(f[2], 16, 64)
		out = append(out, m)
	}
	return out
}

// object is what is mapped, and what is to be taken off an address there to get the
// file's; nil when its file can't be read.
func (w *Walker) object(pid int, m *mapping) (*object, uint64) {
	if !strings.HasPrefix(m.path, "/") {
		return nil, 0
	}
	o := w.load(pid, m.path)
	if o == nil {
		return nil, 0
	}
	for i := range o.progs {
		p := &o.progs[i]
		page := p.Off &^ 0xfff
		if m.off >= page && m.off < p.Off+p.Filesz {
			return o, m.lo - (p.Vaddr - p.Off + m.off)
		}
	}
	return nil, 0
}

func (w *Walker) load(pid int, path string) *object {
	file, err := os.Open(fmt.Sprintf("/proc/%d/root%s", pid, path)) // as the process sees it
	if err != nil {
		if file, err = os.Open(path); err != nil {
			return nil
		}
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.objs[path]; o != nil && o.size == st.Size() && o.mtime == st.ModTime().UnixNano() {
		return o
	}
	e, err := elf.NewFile(file)
	if err != nil || e.Machine != elf.EM_X86_64 {
		return nil
	}
	o := &object{size: st.Size(), mtime: st.ModTime().UnixNano(), table: &table{}}
	for _, p := range e.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 {
			o.progs = append(o.progs, p.ProgHeader)
		}
	}
	if s := e.Section(".eh_frame"); s != nil && s.Type != elf.SHT_NOBITS {
		if b, err := s.Data(); err == nil {
			o.table = parse(b, s.Addr)
		}
	}
	all, _ := e.Symbols()
	dynamic, _ := e.DynamicSymbols()
	for _, s := range append(all, dynamic...) {
		if t := elf.ST_TYPE(s.Info); (t == elf.STT_FUNC || t == elf.STT_GNU_IFUNC) && s.Section != elf.SHN_UNDEF && s.Name != "" {
			o.syms = append(o.syms, symbol{s.Value, s.Value + s.Size, s.Name})
		}
	}
	// of several names for a place the shortest: __libc_write, write
	sort.Slice(o.syms, func(i, j int) bool {
		a, b := &o.syms[i], &o.syms[j]
		if a.lo != b.lo {
			return a.lo < b.lo
		}
		if x, y := strings.HasPrefix(a.name, "_"), strings.HasPrefix(b.name, "_"); x != y {
			return y
		}
		if len(a.name) != len(b.name) {
			return len(a.name) < len(b.name)
		}
		return a.name < b.name
	})
	if w.objs == nil || len(w.objs) >= maxObjects {
		w.objs = map[string]*object{}
	}
	w.objs[path] = o
	return o
}

// name is the place at in an object, of which ip is told.
func name(o *object, path string, at, ip, abs uint64) string {
	lib := filepath.Base(path)
	if o == nil {
		if path == "" {
			return "0x" + strconv.FormatUint(abs, 16)
		}
		return lib + "+0x" + strconv.FormatUint(abs, 16)
	}
	if s := o.symbol(at); s != nil {
		return fmt.Sprintf("%s!%s+0x%x", lib, s.name, ip-s.lo)
	}
	return fmt.Sprintf("%s+0x%x", lib, ip)
}

func (o *object) symbol(at uint64) *symbol {
	i := sort.Search(len(o.syms), func(i int) bool { return o.syms[i].lo > at }) - 1
	if i < 0 || at >= o.syms[i].hi {
		return nil
	}
	for i > 0 && o.syms[i-1].lo == o.syms[i].lo && at < o.syms[i-1].hi {
		i--
	}
	return &o.syms[i]
}
