/* A program to debug: functions that seam patches, called from and calling its own. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile int compared;
int compare(const void *a, const void *b)
{
	compared++;
	return *(const int *)a - *(const int *)b;
}

int step(volatile int *sum, int n)
{
	for (int i = 0; i < n; i++)
		*sum += i;
	return *sum;
}

int main(int argc, char **argv)
{
	int numbers[] = { 3, 1, 2, 5, 4 };
	volatile int sum = 0;
	for (int i = 0; i < atoi(argv[1]); i++) {
		struct timespec t = { 0, 20000000 };
		nanosleep(&t, 0);
	}
	qsort(numbers, 5, sizeof *numbers, compare);
	for (int i = 0; i < 20; i++)
		step(&sum, i);
	printf("%d %d\n", compared, sum);
	return 5;
}
