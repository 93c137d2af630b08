/* restart TALLY CHAINS DEPTH WIDTH THREADS
 *
 * Forks CHAINS times, WIDTH of them alive at once, from a process whose agent is
 * never at rest: THREADS threads record calls of work, and one asks it for messages
 * without a pause. Each child asks for a message, too, which its own Go must
 * answer; it then keeps that Go busy from a thread of its own while it forks the
 * next one, DEPTH deep. Words of the tally:
 *   0 children  1 answered in the child by its own agent  2 not answered
 *   3 agent threads seen in the child's /proc/self/task  4 wrong: a message came from elsewhere
 *   5 deepest level  6 calls of work  7 bad children  8 asked in all */
#define _GNU_SOURCE
#include "tally.h"
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define API __attribute__((noinline, noipa, visibility("default")))
struct sqlite3 { volatile int pid; volatile unsigned answered, foreign; char text[32]; };
int sqlite3_prepare_v2(struct sqlite3 *, const char *, int, void **, const char **);

API long work(long n, const char *what) { return n + what[0]; }

static volatile int stop;

static int asks(struct sqlite3 *db)
{
	unsigned before = db->answered;
	void *st;
	tally->word[8]++;
	if (sqlite3_prepare_v2(db, "selec 1", -1, &st, 0) != 1)
		_exit(91);
	return db->answered != before;
}

static void *recorder(void *unused)
{
	uint64_t n = 0;
	while (!stop) {
		for (int i = 0; i < 200; i++, n++)
			if (work(i, "x") != i + 'x')
				_exit(90);
		usleep(200);
	}
	tally->word[6] += n;
	return 0;
}

static void *asker(void *rest)
{
	struct sqlite3 db = { .pid = getpid() };
	while (!stop) {
		asks(&db);
		if (rest)
			usleep(*(int *)rest);
	}
	tally->word[4] += db.foreign;
	return 0;
}

static unsigned tasks(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/task");
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static int child(int level, int depth)
{
	struct sqlite3 db = { .pid = getpid() };
	tally->word[0]++;
	for (uint64_t most = tally->word[5]; most < (uint64_t)level && !__atomic_compare_exchange_n(&tally->word[5], &most, level, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);)
		;
	if (tasks() != 1)
		return 3; /* a forked child begins with one thread: the count below means something */
	int got = asks(&db);
	tally->word[got ? 1 : 2]++;
	tally->word[3] += tasks() > 1;
	tally->word[4] += db.foreign;
	if (level == depth)
		return 0;
	pthread_t t;
	int rest = 100;
	stop = 0;
	if (pthread_create(&t, 0, asker, &rest))
		return 4;
	pid_t p = fork();
	if (!p)
		_exit(child(level + 1, depth));
	int st = -1;
	if (p < 0 || waitpid(p, &st, 0) != p)
		st = -1;
	stop = 1;
	pthread_join(t, 0);
	return st == 0 ? 0 : 5;
}

int main(int argc, char **argv)
{
	int chains = atoi(argv[2]), depth = atoi(argv[3]), width = atoi(argv[4]), n = atoi(argv[5]), live = 0;
	pthread_t t[16];
	if (argc < 6 || n > 15)
		return 2;
	tally_open(argv[1]);
	for (int i = 0; i < n; i++)
		pthread_create(&t[i], 0, recorder, 0);
	pthread_create(&t[n], 0, asker, 0);
	for (int i = 0; i < chains || live; ) {
		if (i < chains && live < width) {
			pid_t p = fork();
			if (!p)
				_exit(child(1, depth));
			if (p < 0)
				return 6;
			i++;
			live++;
			continue;
		}
		int st;
		if (wait(&st) < 0)
			return 7;
		live--;
		tally->word[7] += st != 0;
	}
	stop = 1;
	for (int i = 0; i <= n; i++)
		pthread_join(t[i], 0);
	printf("%d chains, %d bad\n", chains, (int)tally->word[7]);
	return 0;
}
