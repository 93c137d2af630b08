/* race: what else goes on while the spec changes.
 *
 *   race sleeps ON OFF          a thread is asleep inside a call for which the probe goes and comes
 *   race plugins ON OFF N LIB…  threads load and unload libraries all the time
 *   race forks ON OFF N         a thread forks all the time, and its children call
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ask.h"

static volatile int stop;
static int gate[2];
static ssize_t (*volatile p_read)(int, void *, size_t) = read;
static pid_t (*volatile p_getppid)(void) = getppid;

static void change(const char *spec)
{
	respec(spec);
	if (!strncmp(answer, "error", 5))
		wrong(answer);
}

static void *sleeper(void *arg)
{
	char c = 0;
	*(volatile long *)arg = -bare(SYS_gettid, 0, 0, 0, 0);
	*(long *)arg = p_read(gate[0], &c, 1) == 1 && c == 'x';
	return 0;
}

/* Until that thread is in the kernel, in read. */
static void until_asleep(volatile long *tid)
{
	char path[64], now[8] = "";
	while (*tid >= 0)
		nap(100000);
	snprintf(path, sizeof path, "/proc/self/task/%ld/syscall", -*tid);
	while (strncmp(now, "0 ", 2)) {
		int fd = bare(SYS_open, (long)path, O_RDONLY, 0, 0);
		if (fd < 0)
			wrong("open its syscall file");
		bare(SYS_read, fd, (long)now, 2, 0);
		bare(SYS_close, fd, 0, 0, 0);
		nap(100000);
	}
}

static void *loader(void *lib)
{
	long n = 0;
	for (; !stop; n++) {
		void *h = dlopen(lib, RTLD_NOW);
		int (*volatile work)(int) = h ? (int (*)(int))dlsym(h, "late_work") : 0;
		for (int i = 0; i < 10; i++)
			if (!work || work(i) != i + 2)
				wrong("late_work");
		if (dlclose(h))
			wrong("dlclose");
	}
	return (void *)n;
}

static void *forker(void *arg)
{
	long n = 0;
	(void)arg;
	for (; !stop; n++) {
		int status = 1, pid = fork();
		if (pid == 0) {
			int self = bare(SYS_getppid, 0, 0, 0, 0);
			for (int i = 0; i < 20; i++)
				if (p_getppid() != self)
					wrong("getppid in a child");
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			wrong("a child");
	}
	return (void *)n;
}

int main(int argc, char **argv)
{
	pthread_t t[8];
	long ok = 0, n = 0;
	char both[9000];
	ask_init();
	if (argc < 4)
		return 2;
	if (!strcmp(argv[1], "sleeps")) {
		if (pipe(gate))
			wrong("pipe");
		for (int i = 0; i < 3; i++) {
			change(argv[2]);
			ok = 0;
			pthread_create(&t[0], 0, sleeper, &ok);
			until_asleep(&ok);
			change(argv[3]);
			change(argv[2]);
			change(argv[3]);
			bare(SYS_write, gate[1], (long)"x", 1, 0);
			pthread_join(t[0], 0);
			if (!ok)
				wrong("what read gave");
		}
		return 0;
	}
	int threads = !strcmp(argv[1], "forks") ? 1 : argc - 5;
	for (int i = 0; i < threads; i++)
		pthread_create(&t[i], 0, argc > 5 ? loader : forker, argc > 5 ? argv[5 + i] : 0);
	snprintf(both, sizeof both, "%s %s %s", argv[2], argv[3], argv[4]);
	change(both);
	stop = 1;
	for (int i = 0; i < threads; i++) {
		void *turns;
		pthread_join(t[i], &turns);
		n += (long)turns;
	}
	printf("turns %ld\n", n);
	return 0;
}
