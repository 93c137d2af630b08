// calls TALLY CALLS THREADS [closed]: each thread calls getppid CALLS times, 0 for
// ever, and counts. closed: with all descriptors closed, at first and now and then.
#define _GNU_SOURCE
#include "count.h"
#include <pthread.h>
#include <string.h>

static struct tally *tally;
static long calls;
static int closed;

static void *work(void *arg)
{
	(void)arg;
	for (long i = 0; calls == 0 || i < calls; i++) {
		if (closed && i % 1000 == 0)
			close_range(0, ~0u, 0);
		getppid();
		atomic_fetch_add(&tally->calls, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[16];
	int threads = atoi(argv[3]);
	tally = tally_open(argv[1]);
	calls = atol(argv[2]);
	closed = argc > 4 && strcmp(argv[4], "closed") == 0;
	for (int i = 1; i < threads; i++)
		pthread_create(&t[i], NULL, work, NULL);
	work(NULL);
	for (int i = 1; i < threads; i++)
		pthread_join(t[i], NULL);
	if (closed && open("/dev/null", O_RDONLY) != 0)
		return 98; // somebody else's descriptor is in the way
	atomic_fetch_add(&tally->ended, 1);
	return 5;
}
