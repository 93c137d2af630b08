package laws

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/seam-project/seam/hooks"
)

// limit is what the fuzzer does not do, and why. Everything else of every
// prototype of a pack is fuzzed, also of one that was added a minute ago.
type limit struct {
	functions string // globs, separated by |
	arg       string // "" the function itself
	rule      string // of testdata/args/args.h
	why       string
}

var limits = []limit{
	{"sleep|usleep|alarm", "*", "R_SLEEP", "at once or for hours: whether a second is over would depend on the machine"},
	{"kill|killpg|sigqueue", "pid", "R_NOT_ALL", "-1 is every process of the user"},
	{"killpg", "group", "R_NOT_ALL", "-1 is every process of the user"},
	{"getpriority|setpriority", "which", "R_NOT_USER", "PRIO_USER is every process of the user"},
	{"getpriority|setpriority", "who", "R_OWN", "only processes of its own"},
	{"prctl", "option", "R_PRCTL", "PR_SET_SECCOMP, PR_SET_TSC and PR_SET_SYSCALL_USER_DISPATCH take away what the core needs: a stated limit"},
	{"syscall", "number", "R_SYSCALL", "seven numbers: anything may be behind the others, kill(-1) too"},
	{"clone|__clone", "flags", "R_CLONE", "without CLONE_THREAD, CLONE_VM and their like: a thread without its TLS is not a program's; and no other signal at its end than SIGCHLD, which would come at any time"},
	{"shm_open|shm_unlink", "name", "R_SHM", "one name, or a bad pointer: the names are the whole machine's"},
	{"shmget|semget|msgget", "key", "R_KEY", "IPC_PRIVATE: the others are the whole machine's"},
	{"getaddrinfo_a", "mode", "R_WAIT", "not GAI_NOWAIT: when another thread reads the hostile list is a matter of luck"},
	{"ftw|ftw64|nftw|nftw64", "dir", "R_TREE", "not the root of all files"},
	{"pthread_*|sem_*", "*", "R_ALIGNED", "aligned to 8: a locked instruction across a cache line is slowed down or refused by some kernels"},
	{"sync|syncfs|syslog", "", "", "two calls: they concern the whole machine"},
}

// signOnly are functions whose result is not the same in two runs: times, ids of the kernel's.
var signOnly = []string{"time", "sysconf", "shmget", "semget", "msgget", "alarm", "clone", "__clone"}

// resultless are functions whose result says what the heap looks like: libc
// allocates a little when the agent's thread starts.
var resultless = []string{"malloc_trim"}

func (l *limit) covers(fn string) bool {
	return slices.ContainsFunc(strings.Split(l.functions, "|"), func(g string) bool { ok, _ := path.Match(g, fn); return ok })
}

// argsKnown are the functions outside of packs that are fuzzed. The table of
// known functions has a thousand more, which read their arguments in the same
// ways: strings, buffers, vectors, structures and arrays are all among these.
var argsKnown = strings.Fields(`
	malloc calloc realloc reallocarray free cfree memalign aligned_alloc valloc pvalloc posix_memalign malloc_usable_size malloc_trim mmap mmap64 munmap
	mprotect msync madvise mlock munlock mremap brk sbrk dlopen dlmopen dlsym dlvsym dlclose getenv secure_getenv setenv unsetenv putenv sleep usleep
	nanosleep clock_nanosleep clock_gettime clock_settime gettimeofday time alarm pause poll ppoll select pselect epoll_create epoll_create1 epoll_ctl
	epoll_wait epoll_pwait eventfd timerfd_create timerfd_settime signalfd sigaction __sigaction signal bsd_signal sysv_signal sigprocmask pthread_sigmask
	pthread_create pthread_join pthread_detach pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock pthread_cond_wait pthread_cond_timedwait
	pthread_cond_signal pthread_cond_broadcast pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_unlock sem_wait sem_trywait sem_post sched_yield
	getuid geteuid getgid getegid getrandom getentropy puts fputs putchar putc_unlocked fputc putc _IO_putc fgetc getc _IO_getc fgets getline fseek fseeko
	fseeko64 ftell ftello ftello64 printf fprintf sprintf snprintf syslog openlog atoi strdup strerror perror setlocale syscall isatty ttyname tcgetattr
	tcsetattr getpwnam getpwuid getgrnam getgrgid getlogin uname sysconf crypt getpass posix_openpt openpty forkpty shm_open shm_unlink shmget shmat shmdt
	semget msgget
`)

// argsHooks are the functions that are fuzzed: all of the packs, and argsKnown.
func argsHooks() []*hooks.Hook {
	var all []*hooks.Hook
	for _, name := range hooks.Names() {
		if h, _ := hooks.Lookup("", name); h.Pack != "" || slices.Contains(argsKnown, name) {
			all = append(all, h)
		}
	}
	return all
}

// argsTable writes the fuzzer's table, in C, from the prototypes.
func argsTable(t *testing.T) string {
	t.Helper()
	used := make([]bool, len(limits))
	var b strings.Builder
	b.WriteString("#include \"args.h\"\nconst struct function functions[] = {\n")
	all := argsHooks()
	for _, h := range all {
		if len(h.Args) > 10 {
			t.Fatalf("%s has %d arguments: make room in testdata/args", h.Name, len(h.Args))
		}
		result, few := "RESULT_PLAIN", len(h.Args) == 0
		if slices.Contains(signOnly, h.Name) {
			result = "RESULT_SIGN"
		}
		if slices.Contains(resultless, h.Name) {
			result = "RESULT_NONE"
		}
		var args []string
		for i := range h.Args {
			a := &h.Args[i]
			rule := "R_NONE"
			for k := range limits {
				if l := &limits[k]; l.arg != "" && l.covers(h.Name) && (l.arg == "*" || l.arg == a.Name) {
					rule, used[k] = l.rule, true
				}
			}
			args = append(args, fmt.Sprintf("{%q, %d, %d, %d, %d, %q, %s}", a.Name, a.Type, a.Size, bit(a.Out), a.Len, a.Set, rule))
		}
		for k := range limits {
			if l := &limits[k]; l.arg == "" && l.covers(h.Name) {
				few, used[k] = true, true
			}
		}
		fmt.Fprintf(&b, "{%q, %d, %d, %s, %d, %d, %d, {%s}},\n", h.Name, h.Ret.Type, h.Ret.Size, result, bit(h.Variadic), len(h.Args), bit(few), strings.Join(args, ", "))
	}
	fmt.Fprintf(&b, "};\nconst int nfunctions = %d;\n", len(all))
	for k, u := range used {
		if !u {
			t.Errorf("the limit of %s %s is of no prototype", limits[k].functions, limits[k].arg)
		}
	}
	return b.String()
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
