/* 100 calls of site_call, of the kind that is asked for when this is compiled. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

long site_call(long);
void site_inside(long);
long (*volatile kept)(long);

int main(int argc, char **argv)
{
	volatile long sink = getpid(); /* other calls, of the usual kind, are in every program */
#if defined POINTER
	kept = site_call;
	for (int i = 0; i < 100; i++)
		sink += kept(i);
#elif defined DLSYM
	kept = (long (*)(long))dlsym(RTLD_DEFAULT, "site_call");
	for (int i = 0; i < 100; i++)
		sink += kept(i);
#elif defined PLUGIN
	void *h = dlopen(argv[argc - 1], PLUGIN);
	void (*go)(void) = h ? (void (*)(void))dlsym(h, "site_go") : 0;
	if (!go) {
		fprintf(stderr, "sites: %s\n", dlerror());
		return 3;
	}
	go();
#elif defined INSIDE
	site_inside(100);
#else
#ifdef TAKEN
	kept = site_call; /* taken, and called by name below */
#endif
	for (int i = 0; i < 100; i++)
		sink += site_call(i);
#endif
	return argc < 1 || sink == -1;
}
