/* kill TALLY THREADS CHILDREN PAUSE ASK
 *
 * Calls functions until it is killed, from THREADS threads of this process and of each
 * of CHILDREN forked ones, PAUSE microseconds after every hundred rounds (0: never at
 * rest). With ASK each process has its own agent: it fails in "sqlite" first. All
 * are one process group. Each thread counts in its own slot, before and after each
 * call. Word 0 of the tally: processes that are at work. */
#define _GNU_SOURCE
#include "tally.h"
#include <pthread.h>

#define API __attribute__((noinline, noipa, visibility("default")))
struct sqlite3 { volatile int pid; volatile unsigned answered, foreign; char text[32]; };
int sqlite3_prepare_v2(struct sqlite3 *, const char *, int, void **, const char **);

API long logged(long n, const char *what) { return n + what[0]; }
API long counted(long n) { return n + 1; }
API long timed(long n) { return n - 1; }

static int pause_us;

static void *calls(void *unused)
{
	typeof(tally->slot[0]) *s = &tally->slot[tally_slot()];
	s->pid = getpid();
	for (long i = 0;; i++) {
		s->before[0]++;
		logged(i, i % 3 ? "a word" : "some longer text to carry along");
		s->after[0]++;
		if (i % 7 == 0) {
			s->before[1]++;
			counted(i);
			s->after[1]++;
		}
		if (i % 11 == 0) {
			s->before[2]++;
			timed(i);
			s->after[2]++;
		}
		if (pause_us && i % 100 == 0)
			usleep(pause_us);
	}
	return 0;
}

static void at_work(int threads, int ask)
{
	pthread_t t;
	if (ask) {
		struct sqlite3 db = { .pid = getpid() };
		void *st;
		sqlite3_prepare_v2(&db, "selec 1", -1, &st, 0);
	}
	tally->word[0]++;
	while (--threads > 0)
		pthread_create(&t, 0, calls, 0);
	calls(0);
}

int main(int argc, char **argv)
{
	int threads = atoi(argv[2]), children = atoi(argv[3]), ask = atoi(argv[5]);
	pause_us = atoi(argv[4]);
	setpgid(0, 0);
	tally_open(argv[1]);
	for (int i = 0; i < children; i++)
		if (!fork())
			at_work(threads, ask);
	at_work(threads, ask);
}
