package launcher

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traced asks the loader itself what it would load, and from where.
func traced(t *testing.T, program string, env []string) []string {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append([]string{"LD_TRACE_LOADED_OBJECTS=1"}, env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("trace %s: %v", program, err)
	}
	var paths []string
	for line := range strings.Lines(string(out)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " (0x")
		if _, path, ok := strings.Cut(line, " => "); ok {
			line = path
		}
		if strings.HasPrefix(line, "/") {
			paths = append(paths, line)
		}
	}
	return paths
}

func TestDependenciesAreTheLoaders(t *testing.T) {
	// A program with a chain of libraries found by RUNPATH, RPATH and LD_LIBRARY_PATH.
	dir := t.TempDir()
	src := write(t, dir+"/x.c", []byte("int main(void) { return 0; }\n"), 0o600)
	for _, d := range []string{"/run", "/path", "/env", "/env2"} {
		os.Mkdir(dir+d, 0o755)
	}
	cc := func(out string, args ...string) string {
		args = append([]string{"-Wl,--no-as-needed", "-o", dir + out, src}, args...)
		if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			t.Fatalf("gcc %v: %v\n%s", args, err, msg)
		}
		return dir + out
	}
	deep := cc("/path/libdeep.so", "-shared", "-fPIC")
	env := cc("/env/libenv.so", "-shared", "-fPIC", deep) // by its path: no soname
	cc("/path/libinherit.so", "-shared", "-fPIC", "-Wl,-soname,libinherit.so")
	mid := cc("/path/libmid.so", "-shared", "-fPIC", "-Wl,-soname,libmid.so.1", "-L"+dir+"/path", "-linherit")
	os.Rename(mid, dir+"/path/libmid.so.1")
	run := cc("/run/librun.so", "-shared", "-fPIC", "-Wl,-soname,librun.so", "-lz")
	viaRunpath := cc("/a", "-L"+dir+"/run", "-lrun", "-L"+dir+"/env", "-lenv", "-lm",
		"-Wl,--enable-new-dtags,-rpath,$ORIGIN/run", "-Wl,--allow-shlib-undefined")
	os.Symlink("libmid.so.1", dir+"/path/libmid.so")
	viaRpath := cc("/b", "-L"+dir+"/path", "-lmid", "-Wl,--disable-new-dtags,-rpath,${ORIGIN}/path")
	_, _ = env, run

	for _, tc := range []struct {
		program string
		env     []string
	}{
		{"/bin/true", nil},
		{"/usr/bin/git", nil},
		{"/usr/bin/sqlite3", nil},
		{"/usr/bin/node", nil},
		{"/usr/bin/perl", nil},
		{"/bin/bash", nil},
		{viaRunpath, []string{"LD_LIBRARY_PATH=" + dir + "/nowhere:" + dir + "/env"}},
		{viaRpath, nil},
		{"/bin/true", []string{"LD_PRELOAD=libm.so.6:/usr/lib/x86_64-linux-gnu/libz.so.1"}},
	} {
		if _, err := os.Stat(tc.program); err != nil {
			continue
		}
		t.Run(filepath.Base(tc.program), func(t *testing.T) {
			target, err := Check([]string{tc.program}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := Dependencies(target, tc.env)
			exe, _ := filepath.EvalSymlinks(tc.program)
			if len(got) == 0 || got[0] != exe {
				t.Fatalf("the program is not first: %v", got)
			}
			if diff := cmp.Diff(traced(t, tc.program, tc.env), got[1:]); diff != "" {
				t.Errorf("-loader +ours\n%s", diff)
			}
		})
	}
}

func TestDependenciesOfNonsense(t *testing.T) {
	if got := Dependencies(&Target{ELF: "/nowhere"}, nil); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestExpand(t *testing.T) {
	for in, want := range map[string][]string{
		"/a/b":                 {"/a/b"},
		"$ORIGIN/../lib":       {"/o/../lib"},
		"${ORIGIN}":            {"/o"},
		"/x/$PLATFORM":         {"/x/x86_64"},
		"/usr/$LIB/y":          {"/usr/lib/x86_64-linux-gnu/y", "/usr/lib64/y"},
		"/opt/${LIB}/$ORIGIN/": {"/opt/lib/x86_64-linux-gnu//o/", "/opt/lib64//o/"},
	} {
		if got := expand(in, "/o"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}

// TestLdCache compares the cache as we read it with ldconfig -p.
func TestLdCache(t *testing.T) {
	libs, err := readLdCache(ldCachePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("/sbin/ldconfig", "-p").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for line := range strings.Lines(string(out)) {
		name, path, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if name, kind, _ := strings.Cut(name, " ("); ok && strings.HasPrefix(kind, "libc6,x86-64)") {
			want = append(want, name+" "+path)
		}
	}
	for _, l := range libs {
		got = append(got, l.name+" "+l.path)
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 {
		t.Fatal("ldconfig -p lists nothing")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-ldconfig +ours\n%s", diff)
	}
}

// ldCache makes a cache with one library at three processor levels.
func ldCache() []byte {
	le := binary.LittleEndian
	b := make([]byte, ldCacheHeader)
	copy(b, ldCacheMagic)
	type entry struct {
		flags      uint32
		name, path string
		hwcap      uint64
	}
	entries := []entry{
		{cacheFlags, "libx.so.1", "/v3/libx.so.1", ldCacheHwcapBit | 1},
		{cacheFlags, "libx.so.1", "/v2/libx.so.1", ldCacheHwcapBit | 0},
		{cacheFlags, "libx.so.1", "/base/libx.so.1", 0},
		{0x0003, "libx.so.1", "/i386/libx.so.1", 0},
		{cacheFlags, "liby.so.1", "/tls/liby.so.1", 1 << 63},
		{cacheFlags, "liby.so.1", "/bad/liby.so.1", ldCacheHwcapBit | 9},
	}
	le.PutUint32(b[20:], uint32(len(entries)))
	table := len(b)
	b = append(b, make([]byte, len(entries)*ldCacheEntry)...)
	str := func(s string) uint32 {
		at := len(b)
		b = append(b, s+"\x00"...)
		return uint32(at)
	}
	for i, e := range entries {
		name, path := str(e.name), str(e.path)
		row := b[table+i*ldCacheEntry:]
		le.PutUint32(row, e.flags)
		le.PutUint32(row[4:], name)
		le.PutUint32(row[8:], path)
		le.PutUint64(row[16:], e.hwcap)
	}
	v2, v3 := str("x86-64-v2"), str("x86-64-v3")
	list := uint32(len(b))
	b = le.AppendUint32(le.AppendUint32(b, v2), v3)
	le.PutUint32(b[32:], uint32(len(b)))
	b = le.AppendUint32(le.AppendUint32(b, ldCacheExtMagic), 1)
	for _, v := range []uint32{ldCacheExtHwcaps, 0, list, 8} {
		b = le.AppendUint32(b, v)
	}
	return b
}

func TestLdCacheLevels(t *testing.T) {
	old := append([]byte("ld.so-1.7.0\x00\x01\x00\x00\x00"), make([]byte, 12)...)
	old = append(old, 0, 0, 0, 0) // to a multiple of 8
	for _, raw := range [][]byte{ldCache(), append(old, ldCache()...)} {
		for _, tc := range []struct {
			usable []string
			want   string
		}{
			{nil, "/base/libx.so.1"},
			{[]string{"x86-64-v2"}, "/v2/libx.so.1"},
			{[]string{"x86-64-v3", "x86-64-v2"}, "/v3/libx.so.1"},
		} {
			libs, err := parseLdCache(raw, tc.usable)
			if err != nil {
				t.Fatal(err)
			}
			if got := bestCached(libs, "libx.so.1"); got != tc.want {
				t.Errorf("%v: %s, want %s", tc.usable, got, tc.want)
			}
			if got := bestCached(libs, "liby.so.1"); got != "" {
				t.Errorf("%v: took %s", tc.usable, got)
			}
		}
	}
}

func FuzzLdCache(f *testing.F) {
	f.Add(ldCache())
	f.Add(bytes.Replace(ldCache(), []byte("cache1.1"), []byte("cache9.9"), 1))
	f.Add([]byte("ld.so-1.7.0\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		libs, err := parseLdCache(b, []string{"x86-64-v2"})
		if err != nil && libs != nil {
			t.Fatal("libraries and an error")
		}
		for _, l := range libs {
			if l.name == "" || l.path == "" {
				t.Fatal("a library without a name")
			}
		}
	})
}
