package launcher

import "golang.org/x/sys/cpu"

const nativeMachine = machineX86_64

// Loaders of glibc for this machine, by the name of the file.
var glibcLoaders = []string{"ld-linux-x86-64.so.2"}

// platformName is what $PLATFORM stands for in a search path.
const platformName = "x86_64"

// cacheFlags marks this machine's libraries in /etc/ld.so.cache: FLAG_ELF_LIBC6
// with FLAG_X8664_LIB64.
const cacheFlags = 0x0303

// libDirs are the loader's built-in directories, Debian's and the others'.
var libDirs = []string{
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
	"/lib64", "/usr/lib64", "/lib", "/usr/lib",
}

// libNames are the values of $LIB that are in use.
var libNames = []string{"lib/x86_64-linux-gnu", "lib64"}

// hwcaps returns the subdirectories of glibc-hwcaps that this processor may
// use, best first.
func hwcaps() []string {
	var dirs []string
	x := &cpu.X86
	v2 := x.HasCX16 && x.HasPOPCNT && x.HasSSE3 && x.HasSSE41 && x.HasSSE42 && x.HasSSSE3
	v3 := v2 && x.HasAVX && x.HasAVX2 && x.HasBMI1 && x.HasBMI2 && x.HasFMA && x.HasOSXSAVE
	v4 := v3 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL
	if v4 {
		dirs = append(dirs, "x86-64-v4")
	}
	if v3 {
		dirs = append(dirs, "x86-64-v3")
	}
	if v2 {
		dirs = append(dirs, "x86-64-v2")
	}
	return dirs
}
