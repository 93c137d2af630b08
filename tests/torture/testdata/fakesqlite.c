/* A libsqlite3.so.0 without a lock: prepare always fails, so that seam asks its
 * agent for the message, and the message says who was asked. A real sqlite has
 * mutexes, and a child forked while another thread holds one hangs without seam, too. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A connection is the answer's counter: the pid that wants it, and how often it
 * was answered by another thread of that same process. */
struct sqlite3 { volatile int pid; volatile unsigned answered, foreign; char text[32]; };

int sqlite3_prepare_v2(struct sqlite3 *db, const char *sql, int len, void **stmt, const char **tail)
{
	if (stmt)
		*stmt = 0;
	return sql && len ? 1 : 1;
}

const char *sqlite3_errmsg(struct sqlite3 *db)
{
	int me = syscall(SYS_getpid);
	if (me == db->pid && syscall(SYS_gettid) != me)
		db->answered++;
	else
		db->foreign++;
	snprintf(db->text, sizeof db->text, "answered in %d", me);
	return db->text;
}
