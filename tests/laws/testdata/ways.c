/* Calls one function of waylib.c 100 times in each way that is named.
 * usage: ways 0-3 PLUGIN WAY... ; with -DPLUGIN it is the plugin.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int function(int);
function way_plain, way_short, way_picked, way_picked_short, way_inside, way_table, way_before;

static int direct(int which)
{
	int sum = 0;
	for (int i = 0; i < 100; i++)
		sum += which == 0 ? way_plain(i) : which == 1 ? way_short(i) : which == 2 ? way_picked(i) : way_picked_short(i);
	return sum;
}

#ifdef PLUGIN
int plugin_direct(int which) { return direct(which); }
#else
static const char *const names[] = { "way_plain", "way_short", "way_picked", "way_picked_short" };
static struct { const char *name; function *f; } const table[] = {
	{ "plain", way_plain }, { "short", way_short }, { "picked", way_picked }, { "picked short", way_picked_short },
};

static int by(function *f)
{
	int sum = 0;
	for (int i = 0; i < 100; i++)
		sum += f(i);
	return sum;
}

static int plugin(const char *path, int flags, int which)
{
	void *lib = dlopen(path, flags);
	function *f = lib ? (function *)dlsym(lib, "plugin_direct") : 0;
	if (!f) {
		printf("%s\n", dlerror());
		exit(2);
	}
	return f(which);
}

int main(int argc, char **argv)
{
	int which = atoi(argv[1]), sum = 0;
	for (int i = 3; i < argc; i++) {
		const char *way = argv[i];
		if (!strcmp(way, "direct"))
			sum += direct(which);
		else if (!strcmp(way, "table"))
			sum += by(((volatile typeof(*table) *)table)[which].f);
		else if (!strcmp(way, "default"))
			sum += by((function *)dlsym(RTLD_DEFAULT, names[which]));
		else if (!strcmp(way, "next"))
			sum += by((function *)dlsym(RTLD_NEXT, names[which]));
		else if (!strcmp(way, "versioned"))
			sum += by((function *)dlvsym(RTLD_DEFAULT, names[which], "WAYS_1"));
		else if (!strcmp(way, "handle"))
			sum += by((function *)dlsym(dlopen(0, RTLD_LAZY), names[which]));
		else if (!strcmp(way, "inside"))
			sum += way_inside(which);
		else if (!strcmp(way, "own table"))
			sum += way_table(which);
		else if (!strcmp(way, "before"))
			sum += way_before(which);
		else if (!strcmp(way, "now"))
			sum += plugin(argv[2], RTLD_NOW, which);
		else if (!strcmp(way, "lazy"))
			sum += plugin(argv[2], RTLD_LAZY, which);
		else if (!strcmp(way, "deep"))
			sum += plugin(argv[2], RTLD_LAZY | RTLD_DEEPBIND, which);
		else
			return 3;
	}
	printf("%d\n", sum);
	return 0;
}
#endif
