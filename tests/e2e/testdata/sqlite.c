// sqlite THREADS ROWS: each thread fills and reads a database of its own in
// memory; then one statement fails. With a third argument, "fork", the failing
// statement runs in a forked child, too.
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int rows;

static void *work(void *arg)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	long sum = 0;
	if (sqlite3_open(":memory:", &db))
		abort();
	if (sqlite3_exec(db, "create table n(a)", NULL, NULL, NULL))
		abort();
	if (sqlite3_prepare_v2(db, "insert into n values(?)", -1, &s, NULL))
		abort();
	for (int i = 0; i < rows; i++) {
		sqlite3_bind_int(s, 1, i);
		if (sqlite3_step(s) != SQLITE_DONE)
			abort();
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	if (sqlite3_prepare_v2(db, "select a from n", -1, &s, NULL))
		abort();
	while (sqlite3_step(s) == SQLITE_ROW)
		sum += sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return (void *)sum;
}

static void fail(const char *who)
{
	sqlite3 *db;
	char *msg = NULL;
	sqlite3_open(":memory:", &db);
	char sql[64];
	snprintf(sql, sizeof sql, "select nofunction_%s(1)", who);
	int rc = sqlite3_exec(db, sql, NULL, NULL, &msg);
	printf("%s: %d %s\n", who, rc, msg);
	fflush(stdout);
	sqlite3_free(msg);
	sqlite3_close(db);
}

int main(int argc, char **argv)
{
	int n = atoi(argv[1]);
	pthread_t t[64];
	rows = atoi(argv[2]);
	for (int i = 0; i < n; i++)
		pthread_create(&t[i], NULL, work, NULL);
	for (int i = 0; i < n; i++) {
		void *sum;
		pthread_join(t[i], &sum);
		printf("%ld\n", (long)sum);
	}
	fflush(stdout);
	fail("parent");
	if (argc > 3) {
		pid_t pid = fork();
		if (pid == 0) {
			fail("child");
			_exit(6);
		}
		int status;
		waitpid(pid, &status, 0);
		printf("child ended with %d\n", WEXITSTATUS(status));
	}
	return 2;
}
