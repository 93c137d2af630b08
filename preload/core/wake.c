/* wake.c: a process that was started dormant (SEAM_DORMANT instead of SEAM_SPEC).
 *
 * Its constructor asks the loader for what only the loader can tell, and returns:
 * nothing is patched, there is no thread, no descriptor and no memory but this
 * struct. Later `seam attach` (launcher/attach) stops all threads of the process
 * from outside, sees to it that none is inside bytes that will be overwritten, and
 * has one of them call seam_wake, on a stack of its own.
 *
 * That thread may have been interrupted anywhere: inside malloc, inside the loader,
 * in a signal handler, in the first instructions of a function. And no other thread
 * moves meanwhile. So nothing here may take a lock, allocate, or wait: what the
 * constructor of a process that is watched from its beginning asks of libc is
 * asked of the kernel, of memory, or was asked at load. No thread is made either; the
 * agent starts at a safe call, as always.
 *
 * seam_wake does not return. It stores the result and yields until its thread, too,
 * is stopped and given its own registers back. There is no breakpoint at its end:
 * the kernel would reset the action of SIGTRAP in a process that ignores it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include "load.h"
#include "sys.h"

__attribute__((visibility("default"))) SEAM_DATA struct seam_waking seam_waking;
static unsigned char wake_stack[SEAM_WAKE_STACK] __attribute__((aligned(4096)));

/* A program at a fixed address that takes the address of malloc gives it one of its
 * own, in its PLT: that is not where the allocator is. */
static int not_in_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct seam_waking *w = arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && w->malloc - info->dlpi_addr - p->p_vaddr < p->p_memsz && !seam_exported(info, "malloc"))
			w->malloc = (uint64_t)dlsym(RTLD_NEXT, "malloc");
	}
	return 1; /* the program is the first */
}

void seam_ask_loader(int argc, char **argv)
{
	struct seam_waking *w = &seam_waking;
	w->pid = sys0(SYS_getpid);
	w->argc = argc;
	w->argv = argv;
	w->pthread_create = dlsym(RTLD_NEXT, "pthread_create");
	w->pthread_getattr_np = dlsym(RTLD_NEXT, "pthread_getattr_np");
	w->pthread_attr_destroy = dlsym(RTLD_NEXT, "pthread_attr_destroy");
	w->nptl_nthreads = dlsym(RTLD_DEFAULT, "__nptl_nthreads");
	w->curbrk = dlsym(RTLD_DEFAULT, "__curbrk");
	w->malloc = (uint64_t)dlsym(RTLD_DEFAULT, "malloc");
	dl_iterate_phdr(not_in_program, w);
	w->debug = seam_loader_debug();
	w->loader = w->debug ? w->debug : dlsym(RTLD_DEFAULT, "_r_debug");
}

/* In the constructor, instead of all else. */
void seam_sleep(int argc, char **argv)
{
	struct seam_waking *w = &seam_waking;
	seam_ask_loader(argc, argv);
	if (!w->loader || seam_watch_forks())
		return;
	w->stack_lo = (uint64_t)wake_stack;
	w->stack_hi = (uint64_t)wake_stack + sizeof wake_stack;
	__atomic_store_n(&w->magic, SEAM_WAKE_MAGIC, __ATOMIC_RELEASE);
}

/* argv as it is now: programs write into theirs, or put NULL there. */
static int arguments(char *buf, size_t size, char **argv, int most)
{
	int fd = sys3(SYS_open, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0), argc = 0;
	long n = fd < 0 ? 0 : sys3(SYS_read, fd, buf, size - 1);
	if (fd >= 0)
		sys1(SYS_close, fd);
	buf[n > 0 ? n : 0] = 0;
	for (char *p = buf; p < buf + n && argc < most; p += strlen(p) + 1)
		argv[argc++] = p;
	return argc;
}

static int32_t wake(const char *spec, const char *socket, const char *reader, const char *library, uint64_t mask)
{
	const struct seam_waking *w = &seam_waking;
	static char text[8192];
	static char *argv[64];
	if (w->magic != SEAM_WAKE_MAGIC || seam)
		return SEAM_WAKE_AWAKE;
	if (!seam_loader_at_rest(w->loader))
		return SEAM_WAKE_LOADER;
	struct seam_load *l = mmap(0, sizeof *l, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l == MAP_FAILED)
		return SEAM_WAKE_MEMORY;
	l->argv = argv;
	l->argc = arguments(text, sizeof text, argv, sizeof argv / sizeof *argv);
	l->awake = 1;
	int32_t rc = seam_load(l, spec, socket, reader, library);
	if (rc != SEAM_WAKE_DONE)
		seam_drop_core(); /* still dormant */
	else
		seam->load_mask = mask;
	if (!seam || seam->late != l)
		munmap(l, sizeof *l);
	return rc;
}

__attribute__((visibility("default"), noreturn, used))
void seam_wake(const char *spec, const char *socket, const char *reader, const char *library, uint64_t mask)
{
	uint64_t guard = seam_tls.guard;
	int saved = errno;
	seam_tls.guard = SEAM_GUARD_CORE;
	int32_t rc = wake(spec, socket, reader, library, mask);
	seam_tls.guard = guard;
	errno = saved;
	__atomic_store_n(&seam_waking.result, rc, __ATOMIC_RELEASE);
	for (;;)
		sys0(SYS_sched_yield);
}
