/* Loads a library in every way there is, late. Usage: host WAY ARGUMENT... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <link.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int (*load(const char *path, int flags, long ns, void **handle))(int)
{
	void *h = ns ? dlmopen(ns, path, flags) : dlopen(path, flags);
	if (!h) {
		printf("%s\n", dlerror());
		exit(9);
	}
	if (handle)
		*handle = h;
	return (int (*)(int))dlsym(h, "late_work");
}

/* 10 calls besides the constructor's three. */
static void use(int (*work)(int), int number)
{
	for (int i = 0; i < 10; i++)
		if (work(i) != i * number + 2) {
			printf("wrong\n");
			exit(8);
		}
}

static int way_open(char **argv, int flags)
{
	use(load(argv[2], flags, 0, 0), 1);
	return 0;
}

static int way_namespace(char **argv)
{
	use(load(argv[2], RTLD_NOW, LM_ID_NEWLM, 0), 1);
	use(load(argv[2], RTLD_LAZY, LM_ID_NEWLM, 0), 1);
	use(load(argv[2], RTLD_NOW, 0, 0), 1);
	/* and away with one while the others stay */
	void *h;
	use(load(argv[2], RTLD_NOW, LM_ID_NEWLM, &h), 1);
	dlclose(h);
	use(load(argv[2], RTLD_NOW, LM_ID_NEWLM, 0), 1);
	return 0;
}

/* Grown memory mappings, of this process. */
static long kilobytes(void)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof line, f))
		sscanf(line, "VmSize: %ld", &kb);
	fclose(f);
	return kb;
}

static long mappings(void)
{
	long n = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	for (int c; (c = getc(f)) != EOF;)
		n += c == '\n';
	fclose(f);
	return n;
}

/* argv: two builds of the library, times, and whether growth is to be told. */
static int way_reload(char **argv)
{
	long n = atol(argv[4]), kb = 0, maps = 0;
	for (long i = 0; i < n; i++) {
		void *h;
		int which = i & 1;
		int (*work)(int) = load(argv[2 + which], RTLD_NOW, 0, &h);
		use(work, which + 1);
		dlclose(h);
		if (i == n / 10) {
			kb = kilobytes();
			maps = mappings();
		}
	}
	if (argv[5] && (kilobytes() - kb > 256 || mappings() - maps > 2))
		printf("grown by %ld KiB, %ld mappings\n", kilobytes() - kb, mappings() - maps);
	return 0;
}

/* A plugin in each of n workers. */
static int way_workers(char **argv)
{
	int n = atoi(argv[3]), bad = 0, status;
	for (int i = 0; i < n; i++)
		if (!fork()) {
			use(load(argv[2], RTLD_NOW, 0, 0), 1);
			_exit(0);
		}
	while (wait(&status) > 0)
		bad += status != 0;
	printf("%d workers, %d bad\n", n, bad);
	return bad;
}

int __nss_configure_lookup(const char *database, const char *services);

static int way_names(void)
{
	__nss_configure_lookup("passwd", "compat"); /* a module that is not part of libc */
	struct passwd *p = getpwnam("root");
	printf("%s\n", p ? p->pw_dir : "?");
	struct addrinfo *a = 0, hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	printf("%d\n", getaddrinfo("localhost", "80", &hints, &a));
	if (a)
		freeaddrinfo(a);
	return 0;
}

static int way_charset(void)
{
	char in[] = "gr\xfc\xdf", out[64], *i = in, *o = out;
	size_t ni = sizeof in, no = sizeof out;
	iconv_t c = iconv_open("UTF-16LE", "CP1252");
	if (c == (iconv_t)-1 || iconv(c, &i, &ni, &o, &no) == (size_t)-1)
		printf("%s\n", strerror(errno));
	printf("%zu\n", sizeof out - no);
	iconv_close(c);
	return 0;
}

static void *loads(void *path)
{
	use(load(path, RTLD_NOW, 0, 0), 1);
	return 0;
}

static int way_threads(char **argv)
{
	pthread_t t[8];
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], 0, loads, argv[2]);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 1;
	const char *way = argv[1];
	if (!strcmp(way, "now"))
		return way_open(argv, RTLD_NOW);
	if (!strcmp(way, "lazy"))
		return way_open(argv, RTLD_LAZY);
	if (!strcmp(way, "global"))
		return way_open(argv, RTLD_NOW | RTLD_GLOBAL);
	if (!strcmp(way, "local"))
		return way_open(argv, RTLD_NOW | RTLD_LOCAL);
	if (!strcmp(way, "deepbind"))
		return way_open(argv, RTLD_NOW | RTLD_DEEPBIND);
	if (!strcmp(way, "namespace"))
		return way_namespace(argv);
	if (!strcmp(way, "reload"))
		return way_reload(argv);
	if (!strcmp(way, "workers"))
		return way_workers(argv);
	if (!strcmp(way, "threads"))
		return way_threads(argv);
	if (!strcmp(way, "names"))
		return way_names();
	if (!strcmp(way, "charset"))
		return way_charset();
	return 1;
}
