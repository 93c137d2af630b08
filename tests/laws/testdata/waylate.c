/* Loads waylib.c late, and calls all its functions in each way that is left.
 * usage: waylate LIBRARY 0-3 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	static const char *const names[] = { "way_plain", "way_short", "way_picked", "way_picked_short" }, *const inside[] = { "way_inside", "way_table", "way_before" };
	int which = atoi(argv[2]), sum = 0;
	void *lib = dlopen(argv[1], RTLD_LAZY);
	int (*f)(int) = lib ? (int (*)(int))dlsym(lib, names[which]) : 0;
	if (!f) {
		printf("%s\n", dlerror());
		return 2;
	}
	for (int i = 0; i < 100; i++)
		sum += f(i);
	for (int i = 0; i < 3; i++)
		sum += ((int (*)(int))dlsym(lib, inside[i]))(which);
	printf("%d\n", sum);
	return 0;
}
