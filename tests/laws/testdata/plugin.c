/* Loads a Go library, and uses it on several threads. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int (*work)(int);
static void *thread(void *arg)
{
	for (int i = 0; i < 500; i++) {
		int fd = open("/etc/passwd", O_RDONLY);
		close(fd);
	}
	printf("sum %d\n", work(20));
	return arg;
}

static volatile sig_atomic_t got;
static void handler(int sig) { got = sig; }

int main(int argc, char **argv)
{
	signal(SIGUSR1, handler);
	void *lib = dlopen(argv[1], RTLD_NOW);
	if (!lib || !(work = dlsym(lib, "plugin_work"))) {
		printf("%s\n", dlerror());
		return 1;
	}
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], 0, thread, 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	raise(SIGUSR1);
	printf("signal %d\n", got);
	return 5;
}
