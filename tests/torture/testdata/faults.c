/* faults TALLY: calls, a message that the agent must fetch, a forked child that wants
 * one, too; between marks (close of a negative number) for the injector. Prints
 * what it found, which is the same whatever fails in seam. Tally: slot 0 counts
 * the calls of both, word 0 the messages that an agent fetched, 1 those in the child. */
#define _GNU_SOURCE
#include "tally.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define API __attribute__((noinline, noipa, visibility("default")))
struct sqlite3 { volatile int pid; volatile unsigned answered, foreign; char text[32]; };
int sqlite3_prepare_v2(struct sqlite3 *, const char *, int, void **, const char **);
API long logged(long n, const char *what) { return n + what[0]; }

static long calls(void)
{
	long sum = 0;
	for (int i = 0; i < 500; i++) {
		tally->slot[0].before[0]++;
		errno = 77;
		sum += logged(i, "abc") + errno;
		tally->slot[0].after[0]++;
	}
	return sum;
}

static int asks(int word)
{
	struct sqlite3 db = { .pid = getpid() };
	void *st;
	errno = 33;
	int rc = sqlite3_prepare_v2(&db, "selec 1", -1, &st, 0);
	tally->word[word] += db.answered;
	return rc * 1000 + errno;
}

int main(int argc, char **argv)
{
	close(-101);
	tally_open(argv[1]);
	tally->slots = 1;
	printf("%ld\n", calls());
	close(-102);
	printf("%d\n", asks(0));
	close(-103);
	printf("%ld\n", calls());
	fflush(stdout);
	pid_t p = fork();
	if (!p) {
		close(-104);
		int got = asks(1);
		close(-105);
		_exit(got + calls() == 1033 + 211750 ? 9 : 8);
	}
	int st = -1;
	waitpid(p, &st, 0);
	printf("child %#x\n", st);
	FILE *f = fopen("/proc/self/comm", "r"); /* the descriptors are the program's */
	printf("%d %ld\n", f ? fileno(f) : -1, calls());
	return 11;
}
