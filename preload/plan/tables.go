package plan

import "strings"

// entryOnly lists functions that must never be called through a frame, hooked
// or not: they return twice or never, or they look at who called them. In the
// comments, what would break.
var entryOnly = map[string]bool{
	// The second return would come back into a frame that is gone.
	"setjmp": true, "_setjmp": true, "__setjmp": true, "sigsetjmp": true, "__sigsetjmp": true,
	"savectx": true, "vfork": true, "__vfork": true, "__libc_vfork": true,
	// Save or replace the stack pointer they see.
	"getcontext": true, "__getcontext": true, "setcontext": true, "swapcontext": true, "makecontext": true,
	"clone": true, "__clone": true, "clone3": true, "__clone3": true, "__clone_internal": true,
	// Unwind past the frame, or never return.
	"longjmp": true, "_longjmp": true, "siglongjmp": true, "__libc_longjmp": true, "__libc_siglongjmp": true,
	"__longjmp_chk": true, "_Unwind_RaiseException": true, "_Unwind_Resume": true,
	"_Unwind_Resume_or_Rethrow": true, "_Unwind_ForcedUnwind": true, "_Unwind_Backtrace": true,
	"backtrace": true, "__backtrace": true, "__cxa_throw": true, "__cxa_rethrow": true,
	"pthread_exit": true, "__pthread_unwind": true, "__pthread_unwind_next": true,
	"__libc_start_main": true, "__libc_start_call_main": true,
	"exit": true, "_exit": true, "_Exit": true, "quick_exit": true, "abort": true, "thrd_exit": true,
	// Answer by the object their caller is in.
	"dlopen": true, "dlmopen": true, "dlsym": true, "dlvsym": true,
	"__libc_dlopen_mode": true, "__libc_dlsym": true, "dl_iterate_phdr": true,
	// Takes the return address as data.
	"_mcount": true, "mcount": true, "__monstartup": true,
}

// protected lists functions that are not patched at all, with why.
var protected = map[string]string{
	"__tls_get_addr":           "called with its own register convention, inside every access to thread-local data",
	"___tls_get_addr":          "called with its own register convention, inside every access to thread-local data",
	"__tls_get_addr_slow":      "called with its own register convention",
	"_dl_runtime_resolve":      "called with the caller's argument registers live",
	"_dl_runtime_profile":      "called with the caller's argument registers live",
	"_dl_tlsdesc_return":       "called with its own register convention",
	"_dl_tlsdesc_undefweak":    "called with its own register convention",
	"_dl_tlsdesc_dynamic":      "called with its own register convention",
	"__stack_chk_fail":         "the stack is already damaged when it is called",
	"__stack_chk_fail_local":   "the stack is already damaged when it is called",
	"__chk_fail":               "the stack may already be damaged when it is called",
	"__fentry__":               "called before the prologue, with its own register convention",
	"__restore_rt":             "found by unwinders by its bytes",
	"_init":                    "run by the loader as part of start-up",
	"_fini":                    "run by the loader as part of the end",
	"_start":                   "the stack holds no return address",
	"_dl_debug_state":          "debuggers put a breakpoint here, and seam its own hook",
	"_dl_allocate_tls":         "run by the loader with locks held",
	"_dl_allocate_tls_init":    "run by the loader with locks held",
	"_dl_deallocate_tls":       "run by the loader with locks held",
	"_dl_get_tls_static_info":  "run by the loader with locks held",
	"__libc_early_init":        "run by the loader before the library is ready",
	"__nptl_change_stack_perm": "run by the loader with locks held",
	"__asan_init":              "run before anything else is ready",
}

// protectedReason says why name must be left alone; "" when it need not.
func protectedReason(name string) string {
	if why, ok := protected[name]; ok {
		return why
	}
	switch {
	case strings.HasPrefix(name, "seam_"):
		return "part of seam"
	case strings.HasPrefix(name, "__x86_indirect_thunk_"), strings.HasPrefix(name, "__x86_return_thunk"):
		return "called with its own register convention"
	case strings.HasPrefix(name, "__asan_"), strings.HasPrefix(name, "__tsan_"), strings.HasPrefix(name, "__msan_"):
		return "part of a sanitizer's runtime"
	}
	return ""
}

// mustBeEntryOnly: name cannot be called through a frame.
func mustBeEntryOnly(name string) bool {
	return entryOnly[name] || strings.HasPrefix(name, "_dl_")
}

// guards lists the functions of libc that change what is mapped, so that what
// the core remembers of readable memory is void when one of them is called.
var guards = []string{
	"munmap", "mremap", "mprotect", "pkey_mprotect", "mmap", "mmap64", "brk", "sbrk", "shmdt", "shmat",
	"remap_file_pages", "madvise", "ftruncate", "ftruncate64", "truncate", "truncate64",
}

// watches lists the functions of libc by which processes are made, waited for
// and turned into other programs. All ways through libc lead to one of them:
// system and popen to posix_spawn, execv and execvp to execve, wait to wait4.
var watches = []struct {
	name  string
	kind  WatchKind
	frame bool // its end matters, and it may be called through a frame
}{
	{"vfork", WatchVfork, false},
	{"clone", WatchClone, false},
	{"posix_spawn", WatchSpawn, true},
	{"posix_spawnp", WatchSpawn, true},
	{"pidfd_spawn", WatchSpawn, true},
	{"pidfd_spawnp", WatchSpawn, true},
	{"wait4", WatchWait4, true},
	{"waitid", WatchWaitid, true},
	{"_exit", WatchExit, false},
	{"execve", WatchExecve, false},
	{"execveat", WatchExecveat, false},
	{"fexecve", WatchFexecve, false},
	{"syscall", WatchSyscall, false},
}

// confiners lists the functions of libc by which a process confines itself:
// filters on system calls, landlock, capabilities, namespaces. The core must
// know before they take effect.
var confiners = []string{"prctl", "syscall", "capset", "unshare", "setns"}

// guardSoname is the object the guards are in.
const guardSoname = "libc.so.6"
