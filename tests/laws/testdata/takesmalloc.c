// takesmalloc: linked at a fixed address, and takes the address of malloc, which then is in
// its own PLT. Prints whether the process had another thread when it had called a function
// a few times.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void *(*volatile allocate)(size_t);

int main(void)
{
	struct timespec nap = { 0, 5000000 };
	int n = 0;
	allocate = malloc; /* by an instruction: data would be filled in by the loader */
	for (int i = 0; i < 1000 && n < 2; i++) {
		n = 0;
		getppid();
		nanosleep(&nap, 0);
		DIR *d = opendir("/proc/self/task");
		for (struct dirent *e; d && (e = readdir(d));)
			n += e->d_name[0] != '.';
		closedir(d);
	}
	free(allocate(1));
	puts(n < 2 ? "alone" : "with an agent");
	return 0;
}
