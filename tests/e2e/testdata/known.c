/* Calls of functions that are in no pack, and of one of its own. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fnmatch.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct request { uint32_t op; char name[12]; uint64_t key; };

__attribute__((noinline)) int submit(const struct request *r, int n, int mode)
{
	__asm__ volatile("" : : "r"(r), "r"(n), "r"(mode));
	return n > 1 ? -7 : n;
}

/* An int argument's register may hold anything above its 32 bits. */
static int call3(void *f, long a, const void *b, unsigned long c)
{
	int r;
	__asm__ volatile("sub $128, %%rsp\n\tcall *%4\n\tadd $128, %%rsp" : "=a"(r), "+D"(a), "+S"(b), "+d"(c) : "r"(f)
		: "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
	return r;
}

int main(void)
{
	struct pollfd fds[2] = {{-1, POLLIN, 0}, {-1, POLLOUT, 0}};
	struct itimerval tv = {{0, 0}, {1000, 500000}};
	struct request r[2] = {{7, "first", 0x5ec2e7}, {8, "second", 0x5ec2e7}};
	struct { struct sockaddr_un a; char more[64]; } to = {.a = {.sun_family = AF_UNIX}};
	sigset_t set;

	poll(fds, 2, 0);
	setitimer(ITIMER_REAL, &tv, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, 0);
	setlocale(LC_ALL, "C");
	sysconf(_SC_PAGESIZE);
	inet_addr("1.2.3.4");
	fnmatch("*.c", "known.c", FNM_PERIOD | FNM_PATHNAME);
	memcpy(to.a.sun_path, "\0seam-nobody-LEAKED", 19);
	call3((void *)connect, -1, &to, 0xdeadbeef00000000 | (sizeof(sa_family_t) + 12));
	submit(r, 1, 2);
	submit(r, 2, 0x10);
	return 0;
}
