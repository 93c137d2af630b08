#include "args.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

/* Names that generate.c knows: f a file, d a folder, l a link, s a socket. */
void make_folder(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 64; i++)
		if (write(fd, "a line of some text\nand then another one, without an end; %s %n\0", 64) != 64)
			perror("args: write");
	close(fd);
	if (mkdir("d", 0700) || symlink("f", "l"))
		perror("args: folder");
}

/* No read or write of them blocks. */
void make_descriptors(void)
{
	static const char text[100] = "what waits in a pipe or a socket";
	int p[2];
	open("f", O_RDWR);
	open("f", O_RDONLY);
	open("f", O_WRONLY);
	open("d", O_RDONLY | O_DIRECTORY);
	open("f", O_PATH);
	if (!pipe2(p, O_NONBLOCK) && write(p[1], text, 100) != 100)
		perror("args: pipe");
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
		if (!socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, p))
			for (int i = 0; i < 2; i++)
				if (write(p[i], text, 50) != 50)
					perror("args: socket");
	struct sockaddr_un un = { AF_UNIX, "s" };
	unlink("s");
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!bind(s, (struct sockaddr *)&un, sizeof un))
		listen(s, 5);
	socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	eventfd(1, EFD_NONBLOCK);
	epoll_create1(0);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	inotify_init1(IN_NONBLOCK);
	int m = memfd_create("args", 0);
	if (ftruncate(m, 4096))
		perror("args: memfd");
	open("/dev/null", O_RDWR);
	raw(434 /* pidfd_open */, (long)getpid(), 0);
}

void *stream(void)
{
	static FILE *f;
	return f ? f : (f = fopen("f", "r+"));
}
void *dir(void)
{
	static DIR *d;
	return d ? d : (d = opendir("."));
}
void *db(void)
{
	static sqlite3 *d;
	if (!d)
		sqlite3_open(":memory:", &d);
	return d;
}
void *stmt(void)
{
	static sqlite3_stmt *s;
	if (!s)
		sqlite3_prepare_v2(db(), "SELECT ?1, ?2", -1, &s, 0);
	return s;
}
