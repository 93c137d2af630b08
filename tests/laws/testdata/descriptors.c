/* A program that lives by its descriptors: descriptors MODE. What it sees of
 * them, and what is in its files, must be as without seam. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define API __attribute__((noinline, noipa, visibility("default")))
API long work(long n) { return n + 1; }

/* Enough for an agent to start, to connect, and to be in the middle of sending. */
static void load(void)
{
	for (int i = 0; i < 40000; i++)
		work(i);
	struct timespec t = { 0, 20000000 };
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, 0);
}

static void open_ones(const char *when)
{
	printf("%s:", when);
	for (int i = 0; i < 1024; i++)
		if (fcntl(i, F_GETFD) != -1)
			printf(" %d", i);
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	printf(", listed:");
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			printf(" %s", e->d_name);
	if (d)
		closedir(d);
	puts("");
}

enum { NFILES = 60, ROUNDS = 40 };

/* Files on every number that an agent could ever have had, written while it works,
 * closed behind the back of everybody, opened again elsewhere. */
static int files(void)
{
	static int fd[NFILES];
	char name[64], buf[600], want[600];
	int wrong = 0;
	for (int r = 0; r < ROUNDS; r++) {
		if (r % 4 == 1)
			closefrom(3);
		if (r % 4 == 3)
			syscall(SYS_close_range, 3, ~0u, 0);
		if (r % 8 == 4)
			for (int i = 3; i < 1024; i++)
				close(i);
		for (int i = 0; i < NFILES; i++) {
			snprintf(name, sizeof name, "database.%d", i);
			fd[i] = open(name, O_RDWR | O_CREAT | O_APPEND, 0600);
			wrong += r == 0 && fd[i] != 3 + i;
		}
		for (int i = 0; i < NFILES; i++) {
			int n = snprintf(buf, sizeof buf, "round %d of file %d\n", r, i);
			wrong += write(fd[i], buf, n) != n;
			work(i);
		}
		if (r % 5 == 0)
			load();
		else
			for (int i = 0; i < 2000; i++)
				work(i);
		for (int i = r % 2; i < NFILES; i += 2)
			close(fd[i]);
		if (r == 10)
			open_ones("round 10");
	}
	closefrom(3);
	load();
	for (int i = 0; i < NFILES; i++) {
		snprintf(name, sizeof name, "database.%d", i);
		int f = open(name, O_RDONLY);
		wrong += f != 3;
		for (int r = 0; r < ROUNDS; r++) {
			int n = snprintf(want, sizeof want, "round %d of file %d\n", r, i);
			wrong += read(f, buf, n) != n || memcmp(buf, want, n);
		}
		wrong += read(f, buf, 1) != 0;
		close(f);
		unlink(name);
	}
	printf("wrong %d\n", wrong);
	return 0;
}

/* What waits on descriptors sees the program's own. */
static int waiting(void)
{
	int pair[2], ep = epoll_create1(0), n = 0;
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	for (int round = 0; round < 4; round++) {
		static struct pollfd p[1024];
		for (int i = 0; i < 1024; i++)
			p[i] = (struct pollfd){ i, POLLIN | POLLOUT };
		int ready = poll(p + 3, 1021, 0);
		printf("poll %d:", ready);
		for (int i = 3; i < 1024; i++)
			if (p[i].revents != POLLNVAL)
				printf(" %d=%x", i, p[i].revents);
		fd_set r, w;
		FD_ZERO(&r);
		FD_ZERO(&w);
		for (int i = 3; i < 16; i++)
			if (fcntl(i, F_GETFD) != -1) {
				FD_SET(i, &r);
				FD_SET(i, &w);
			}
		struct timeval tv = { 0 };
		printf(" select %d", select(16, &r, &w, 0, &tv));
		for (int i = 3; i < 16; i++)
			printf(" %d%d", FD_ISSET(i, &r), FD_ISSET(i, &w));
		for (int i = 3; i < 64; i++) {
			struct epoll_event e = { EPOLLIN | EPOLLOUT, { .fd = i } };
			if (epoll_ctl(ep, EPOLL_CTL_ADD, i, &e))
				printf(" %d:%d", i, errno);
		}
		struct epoll_event got[8];
		n = epoll_wait(ep, got, 8, 0);
		printf(" epoll %d\n", n);
		if (round == 1)
			write(pair[0], "x", 1);
		load();
	}
	return 0;
}

/* Descriptors that come by a socket get the number they get without seam. */
static int passing(void)
{
	int pair[2], here[2];
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	for (int round = 0; round < 30; round++) {
		if (pipe(here))
			return 1;
		char space[CMSG_SPACE(2 * sizeof(int))] = { 0 }, c = 'x';
		struct iovec v = { &c, 1 };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		*h = (struct cmsghdr){ CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(h), here, sizeof here);
		pid_t p = fork();
		if (!p) {
			sendmsg(pair[0], &m, 0);
			_exit(0);
		}
		waitpid(p, 0, 0);
		memset(space, 0, sizeof space);
		if (recvmsg(pair[1], &m, 0) != 1)
			return 2;
		int got[2];
		memcpy(got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got);
		printf("got %d %d", got[0], got[1]);
		write(got[1], "y", 1);
		printf(" %zd\n", read(here[0], &c, 1));
		close(got[0]);
		close(got[1]);
		close(here[0]);
		close(here[1]);
		if (round % 10 == 0)
			load();
	}
	return 0;
}

/* Eight descriptors are all there may be. */
static int few(void)
{
	struct rlimit r = { 8, 8 };
	setrlimit(RLIMIT_NOFILE, &r);
	for (int round = 0; round < 3; round++) {
		int n = 0, fd[16];
		while (n < 16 && (fd[n] = open("/dev/null", O_RDONLY)) >= 0)
			n++;
		printf("%d opened, the first is %d, then %s\n", n, fd[0], strerror(errno));
		while (n > 0)
			close(fd[--n]);
		load();
	}
	open_ones("few");
	return 0;
}

/* A daemon, as the books have it: two forks, a session, no descriptor left. */
static int daemonised(void)
{
	int done[2];
	pipe(done);
	fflush(stdout);
	if (!fork()) {
		setsid();
		if (!fork()) {
			int out = dup2(done[1], 200);
			syscall(SYS_close_range, 0, 199, 0);
			syscall(SYS_close_range, 201, ~0u, 0);
			load();
			int fd[4];
			for (int i = 0; i < 4; i++)
				fd[i] = open("/dev/null", O_RDWR);
			load();
			dprintf(out, "daemon has %d %d %d %d\n", fd[0], fd[1], fd[2], fd[3]);
			open_ones("not seen");
			_exit(0);
		}
		_exit(0);
	}
	wait(0);
	close(done[1]);
	char buf[256];
	ssize_t n;
	while ((n = read(done[0], buf, sizeof buf)) > 0)
		printf("%.*s", (int)n, buf);
	return 0;
}

int main(int argc, char **argv)
{
	const char *m = argv[1];
	int first = open("/dev/null", O_RDONLY);
	printf("first %d\n", first);
	close(first);
	if (!strcmp(m, "files")) return files();
	if (!strcmp(m, "waiting")) return waiting();
	if (!strcmp(m, "passing")) return passing();
	if (!strcmp(m, "few")) return few();
	if (!strcmp(m, "daemon")) return daemonised();
	return 9;
}
