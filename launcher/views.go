package launcher

import (
	"os"
	"path/filepath"
)

// LD_PRELOAD is inherited by programs that cannot have the library, and what
// happens then is not silence: the 32-bit loader of glibc writes an error to
// standard error, musl's ends the program, and the address sanitizer does too. So
// the path in LD_PRELOAD is one that each of them takes for harmless:
//
//		<dir>/libasan.so-ok/$PLATFORM/libseam.so
//
//	  - glibc replaces $PLATFORM by the name of the processor it runs for. For the
//	    64-bit names there is a link to the library, for the 32-bit names to an
//	    empty library.
//	  - musl replaces nothing in LD_PRELOAD, finds no such file, and goes on.
//	  - The address sanitizer insists that the first library be itself, lest another
//	    one override what it overrides. Ours overrides nothing. What it looks at
//	    is whether "libasan.so" is in the library's path as the loader knows it;
//	    a sanitizer that is linked statically objects to the same text in
//	    /proc/self/maps, where links are resolved and the text isn't.
const (
	viewsName = "libasan.so-ok"
	emptyName = "empty32"
	dstToken  = "$PLATFORM"
)

// The values of $PLATFORM: the kernel's AT_PLATFORM, or what glibc puts in its
// place for some processors.
var (
	platforms64 = []string{"x86_64", "haswell", "xeon_phi"}
	platforms32 = []string{"i386", "i486", "i586", "i686"}
)

// views makes the links beside the library in dir and returns the path for
// LD_PRELOAD.
func views(dir string) (string, error) {
	empty := filepath.Join(dir, emptyName)
	top := filepath.Join(dir, viewsName)
	for _, d := range []string{empty, top} {
		if err := os.Mkdir(d, 0o755); err == nil {
			err = os.Chmod(d, 0o755) // whatever the umask: see everyones
			if err != nil {
				return "", err
			}
		} else if !os.IsExist(err) {
			return "", err
		}
	}
	stub := filepath.Join(empty, libraryName)
	want := emptyLibrary32()
	if have, err := os.ReadFile(stub); err != nil || string(have) != string(want) {
		err := writeFile(stub, 0o555, func(f *os.File) error {
			_, err := f.Write(want)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	for _, p := range platforms64 {
		if err := link("..", filepath.Join(top, p)); err != nil {
			return "", err
		}
	}
	for _, p := range platforms32 {
		if err := link("../"+emptyName, filepath.Join(top, p)); err != nil {
			return "", err
		}
	}
	return filepath.Join(top, dstToken, libraryName), nil
}

// link makes a symbolic link, or finds it there. Several seams may start at once.
func link(to, path string) error {
	if have, err := os.Readlink(path); err == nil && have == to {
		return nil
	}
	err := os.Symlink(to, path)
	if os.IsExist(err) {
		if have, e := os.Readlink(path); e == nil && have == to {
			return nil
		}
	}
	return err
}
