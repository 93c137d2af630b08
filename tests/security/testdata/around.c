/* Ways to name what a policy does not allow. One line each: the way, and what came of it.
 *
 * around files DIR   DIR/in is allowed, DIR/out/secret is not; the working directory is DIR/in
 * around programs DIR   DIR/in/prog is allowed, DIR/out/prog is not
 * around connects DIR PORT OTHER   127.0.0.1:PORT and unix:DIR/in/ are allowed
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[1024];

static void say(const char *way, long rc)
{
	int e = rc < 0 ? errno : 0;
	printf("%s: %s\n", way, rc >= 0 ? "done" : strerrorname_np(e));
	fflush(stdout);
	if (rc > 2)
		close(rc);
}

/* %s in format is dir. */
static const char *name(const char *format)
{
	static char s[8][4096];
	static int i;
	return i = (i + 1) % 8, snprintf(s[i], sizeof *s, format, dir, dir), s[i];
}

static void files(void)
{
	char link[64];
	struct stat st;
	int in = open(".", O_RDONLY | O_DIRECTORY);
	say("allowed", open("file", O_RDONLY));
	say("allowed, absolute", open(name("%s/in/../in//./file"), O_RDONLY));
	say("absolute", open(name("%s/out/secret"), O_RDONLY));
	say("relative", open("../out/secret", O_RDONLY));
	say("slashes", open(name("//%s//in/.//../out//secret"), O_RDONLY));
	say("link", open("link", O_RDONLY));
	say("folder link", open("folder/secret", O_RDONLY));
	say("root of proc", open(name("/proc/self/root%s/out/secret"), O_RDONLY));
	say("root of a thread", open(name("/proc/thread-self/root%s/out/secret"), O_RDONLY));
	say("cwd of proc", open("/proc/self/cwd/../out/secret", O_RDONLY));
	say("above a thread", open("/proc/thread-self/../../cwd/../out/secret", O_RDONLY));
	snprintf(link, sizeof link, "/proc/self/fd/%d/../out/secret", in);
	say("descriptor of proc", open(link, O_RDONLY));
	snprintf(link, sizeof link, "/dev/fd/%d/../out/secret", in);
	say("dev fd", open(link, O_RDONLY));
	say("openat", openat(in, "../out/secret", O_RDONLY));
	say("O_PATH", openat(in, "../out", O_PATH));
	say("O_PATH, link", open("folder", O_PATH));
	say("O_PATH, the link itself", open("folder", O_PATH | O_NOFOLLOW));
	say("creat", creat("../out/new", 0600));
	say("through a dangling link", open("dangling", O_CREAT | O_WRONLY, 0600));
	say("fopen", fopen("link", "r") ? 0 : -1);
	say("fopen c", fopen("link", "rce") ? 0 : -1);
	say("opendir", opendir("../out") ? 0 : -1);
	say("stat", stat("link", &st));
	say("lstat", lstat("link", &st));
	say("lstat, slash", lstat("folder/", &st));
	say("fstatat", fstatat(in, "link", &st, 0));
	say("truncate", truncate("link", 0));
	say("rename out", rename("file", "../out/file"));
	say("rename in", rename("../out/secret", "stolen"));
	say("link in", linkat(AT_FDCWD, "../out/secret", in, "stolen", 0));
	say("link to a link's file", linkat(in, "link", in, "stolen", AT_SYMLINK_FOLLOW));
	say("unlink", unlink("folder/secret"));
	say("mkdir", mkdir("folder/new", 0700));
	say("chdir", chdir("folder"));
	char *longer = malloc(4000);
	strcpy(longer, dir);
	while (strlen(longer) < 1500)
		strcat(longer, "/.");
	strcat(longer, "/out/secret");
	say("long", open(longer, O_RDONLY));
	if (fchdir(in) == 0)
		say("after fchdir", open("../out/secret", O_RDONLY));
}

static void ended(const char *way, int rc, pid_t p)
{
	int status = 0;
	if (rc)
		printf("%s: %s\n", way, strerrorname_np(rc));
	else if (waitpid(p, &status, 0) == p)
		printf("%s: status %d\n", way, WEXITSTATUS(status));
	fflush(stdout);
}

extern char **environ;

static void forked(const char *way, int fd, int flags, const char *path)
{
	char *argv[] = { "prog", NULL };
	pid_t p = fork();
	if (!p) {
		if (fd < 0)
			execve(path, argv, environ);
		else if (!path)
			fexecve(fd, argv, environ);
		else
			execveat(fd, path, argv, environ, flags);
		_exit(errno == EACCES ? 100 : 101);
	}
	ended(way, 0, p);
}

static void programs(void)
{
	char *argv[] = { "prog", NULL };
	pid_t p = 0;
	int secret = open("../out/prog", O_PATH), out = open("../out", O_PATH), ok = open("prog", O_PATH);
	forked("allowed", -1, 0, "./prog");
	forked("allowed descriptor", ok, AT_EMPTY_PATH, "");
	forked("absolute", -1, 0, name("%s/out/prog"));
	forked("relative", -1, 0, "../out/prog");
	forked("link", -1, 0, "link");
	forked("execveat", out, 0, "prog");
	forked("execveat, empty", secret, AT_EMPTY_PATH, "");
	forked("fexecve", secret, 0, NULL);
	forked("descriptor of proc", -1, 0, (snprintf(argv[0] = malloc(64), 64, "/proc/self/fd/%d", secret), argv[0]));
	ended("spawn", posix_spawn(&p, "../out/prog", NULL, NULL, argv, environ), p);
	setenv("PATH", name("%s/out"), 1);
	ended("search", posix_spawnp(&p, "prog", NULL, NULL, argv, environ), p);
	unsetenv("LD_PRELOAD"); /* what it starts is another matter; what it may start is not */
	ended("without the library", posix_spawn(&p, "../out/prog", NULL, NULL, argv, (char *[]){ NULL }), p);
}

static void to_ip(const char *way, const char *ip, int port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	if (inet_pton(AF_INET6, ip, &six.sin6_addr) == 1) {
		int s = socket(AF_INET6, SOCK_STREAM, 0);
		say(way, connect(s, (void *)&six, sizeof six));
	} else if (inet_pton(AF_INET, ip, &four.sin_addr) == 1) {
		int s = socket(AF_INET, SOCK_STREAM, 0);
		say(way, connect(s, (void *)&four, sizeof four));
	}
}

static void to_unix(const char *way, const char *path, int abstract)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(un.sun_path + abstract, path, sizeof un.sun_path - 2);
	say(way, connect(s, (void *)&un, sizeof un));
}

static void connects(int port, int other)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(other), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	to_ip("allowed", "127.0.0.1", port);
	to_ip("allowed, as IPv6", "::ffff:127.0.0.1", port);
	to_ip("another port", "127.0.0.1", other);
	to_ip("another port, as IPv6", "::ffff:127.0.0.1", other);
	to_ip("this host", "0.0.0.0", other);
	to_ip("this host, as IPv6", "::", other);
	to_unix("allowed path", name("%s/in/sock"), 0);
	to_unix("path", name("%s/out/sock"), 0);
	to_unix("path with ..", name("%s/in/../out/sock"), 0);
	to_unix("relative path", "../out/sock", 0);
	to_unix("abstract", name("%s/in/sock"), 1);
	say("datagram", sendto(udp, "x", 1, 0, (void *)&to, sizeof to));
	to.sin_family = AF_UNSPEC;
	say("datagram of no family", sendto(udp, "x", 1, 0, (void *)&to, sizeof to));
	say("undone", connect(udp, (void *)&to, sizeof to));
}

int main(int argc, char **argv)
{
	strcpy(dir, argv[2]);
	if (chdir(name("%s/in")))
		return 1;
	if (*argv[1] == 'f')
		files();
	else if (*argv[1] == 'p')
		programs();
	else
		connects(atoi(argv[3]), atoi(argv[4]));
	return 0;
}
