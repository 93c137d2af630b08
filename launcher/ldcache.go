package launcher

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sync"

	"github.com/seam-project/seam/preload/plan"
)

// /etc/ld.so.cache, as glibc's sysdeps/generic/dl-cache.h lays it out: a
// header, entries sorted by library name, then strings and extensions. All
// offsets are from the header.

const (
	ldCachePath     = "/etc/ld.so.cache"
	ldCacheMagic    = "glibc-ld.so.cache1.1"
	ldCacheOldMagic = "ld.so-1.7.0\x00"
	ldCacheHeader   = 48
	ldCacheEntry    = 24
	ldCacheOldEntry = 12

	ldCacheExtMagic  = 0xeaa42174
	ldCacheExtHwcaps = 1
	ldCacheHwcapBit  = 1 << 62
	maxLdCache       = 64 << 20
)

var errLdCache = errors.New("read ld.so.cache: not a cache this loader knows")

// cachedLib is one library ldconfig found.
type cachedLib struct {
	name string // as in DT_NEEDED
	path string
	rank int // 0: for any processor; else index+1 in the list of usable hwcaps, 1 best
}

// lastCache is the cache as it was read last: one start asks twice.
var lastCache struct {
	sync.Mutex
	id   plan.Identity
	libs []cachedLib
}

// systemLibs are the libraries of /etc/ld.so.cache; nil when there is none. Not to be changed.
func systemLibs() []cachedLib {
	lastCache.Lock()
	defer lastCache.Unlock()
	id, err := fileIdentity(ldCachePath)
	if err != nil || id != lastCache.id {
		lastCache.id = id
		lastCache.libs, _ = readLdCache(ldCachePath, hwcaps())
	}
	return lastCache.libs
}

// readLdCache reads the cache; libraries of other machines, and for processors
// this isn't, are left out.
func readLdCache(path string, usable []string) ([]cachedLib, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxLdCache {
		return nil, errLdCache
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseLdCache(raw, usable)
}

func parseLdCache(raw []byte, usable []string) ([]cachedLib, error) {
	le := binary.LittleEndian
	if len(raw) >= 16 && string(raw[:12]) == ldCacheOldMagic {
		// The old format in front, for old loaders; ours follows, aligned to 8.
		skip := 16 + uint64(le.Uint32(raw[12:]))*ldCacheOldEntry
		skip = (skip + 7) &^ 7
		if skip > uint64(len(raw)) {
			return nil, errLdCache
		}
		raw = raw[skip:]
	}
	if len(raw) < ldCacheHeader || string(raw[:20]) != ldCacheMagic {
		return nil, errLdCache
	}
	if order := raw[28] & 3; order != 0 && order != 2 {
		return nil, errLdCache // made on a big-endian machine
	}
	n := uint64(le.Uint32(raw[20:]))
	if n > uint64(len(raw)-ldCacheHeader)/ldCacheEntry {
		return nil, errLdCache
	}
	hwcapNames := ldCacheHwcaps(raw, le.Uint32(raw[32:]))
	libs := make([]cachedLib, 0, n)
	for i := range n {
		e := raw[ldCacheHeader+i*ldCacheEntry:]
		if le.Uint32(e) != cacheFlags {
			continue
		}
		l := cachedLib{name: ldCacheString(raw, le.Uint32(e[4:])), path: ldCacheString(raw, le.Uint32(e[8:]))}
		if l.name == "" || l.path == "" {
			continue
		}
		switch hwcap := le.Uint64(e[16:]); {
		case hwcap == 0:
		case hwcap>>32 == ldCacheHwcapBit>>32:
			k := uint64(uint32(hwcap))
			if k >= uint64(len(hwcapNames)) {
				continue
			}
			at := slices.Index(usable, hwcapNames[k])
			if at < 0 {
				continue
			}
			l.rank = at + 1
		default:
			continue // the hwcaps of glibc before 2.33
		}
		libs = append(libs, l)
	}
	return libs, nil
}

// ldCacheHwcaps reads the names of the glibc-hwcaps subdirectories.
func ldCacheHwcaps(raw []byte, at uint32) []string {
	le := binary.LittleEndian
	b, ok := slice(raw, uint64(at), 8)
	if at == 0 || !ok || le.Uint32(b) != ldCacheExtMagic {
		return nil
	}
	count := uint64(le.Uint32(b[4:]))
	sections, ok := slice(raw, uint64(at)+8, count*16)
	if !ok {
		return nil
	}
	var names []string
	for ; len(sections) >= 16; sections = sections[16:] {
		if le.Uint32(sections) != ldCacheExtHwcaps {
			continue
		}
		list, ok := slice(raw, uint64(le.Uint32(sections[8:])), uint64(le.Uint32(sections[12:])))
		if !ok {
			return nil
		}
		for ; len(list) >= 4; list = list[4:] {
			names = append(names, ldCacheString(raw, le.Uint32(list)))
		}
	}
	return names
}

func ldCacheString(raw []byte, at uint32) string {
	if uint64(at) >= uint64(len(raw)) {
		return ""
	}
	b := raw[at:]
	return cString(b[:min(len(b), maxString)])
}

func slice(b []byte, off, n uint64) ([]byte, bool) {
	if off > uint64(len(b)) || n > uint64(len(b))-off {
		return nil, false
	}
	return b[off : off+n], true
}

// bestCached returns the file ld.so would take for name: the one for the best
// processor level, the first among equals.
func bestCached(libs []cachedLib, name string) string {
	best := cachedLib{}
	for _, l := range libs {
		if l.name != name {
			continue
		}
		if best.path == "" || l.better(best) {
			best = l
		}
	}
	return best.path
}

// better says whether ld.so prefers l to another library of the same name.
func (l cachedLib) better(than cachedLib) bool {
	return l.rank != 0 && (than.rank == 0 || l.rank < than.rank)
}
