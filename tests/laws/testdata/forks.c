/* Forked children that fail in sqlite, so that each needs an agent of its own,
 * while the parent's is busy: forks COUNT DEPTH. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#define API __attribute__((noinline, noipa, visibility("default")))
API long work(long n) { return n + 1; }
static volatile int stop;
static void *busy(void *p)
{
	while (!stop)
		for (int i = 0; i < 1000; i++)
			work(i);
	return 0;
}
static int failing(void)
{
	sqlite3 *db;
	if (sqlite3_open(":memory:", &db))
		return 1;
	char *msg = 0;
	int rc = sqlite3_exec(db, "select a from nowhere", 0, 0, &msg);
	int ok = rc == SQLITE_ERROR && msg && !strcmp(msg, "no such table: nowhere");
	if (!ok)
		fprintf(stderr, "%d %s\n", rc, msg);
	sqlite3_free(msg);
	sqlite3_stmt *st;
	ok &= sqlite3_prepare_v2(db, "selec 1", -1, &st, 0) == SQLITE_ERROR && !strcmp(sqlite3_errmsg(db), "near \"selec\": syntax error");
	if (!ok)
		fprintf(stderr, "%s\n", sqlite3_errmsg(db));
	sqlite3_close(db);
	return !ok;
}
static int child(int depth)
{
	if (failing())
		return 1;
	if (depth <= 1)
		return 0;
	pid_t p = fork();
	if (!p)
		_exit(child(depth - 1));
	int st;
	waitpid(p, &st, 0);
	return st != 0;
}
int main(int argc, char **argv)
{
	int n = atoi(argv[1]), depth = atoi(argv[2]), bad = failing();
	pthread_t t;
	pthread_create(&t, 0, busy, 0);
	for (int i = 0; i < n; i++) {
		pid_t p = fork();
		if (!p)
			_exit(child(depth));
		int st;
		waitpid(p, &st, 0);
		bad += st != 0;
	}
	stop = 1;
	pthread_join(t, 0);
	printf("%d forks, %d bad\n", n, bad + failing());
	return 0;
}
