/* Another library in LD_PRELOAD, which interposes a function that seam patches. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/stat.h>
static long stats;
int stat(const char *path, struct stat *st)
{
	int (*next)(const char *, struct stat *) = dlsym(RTLD_NEXT, "stat");
	stats++;
	return next(path, st);
}
__attribute__((destructor)) static void end(void) { printf("neighbour saw %ld\n", stats); }
