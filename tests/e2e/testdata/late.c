// A library that is loaded late. Its constructor calls its own function, too.
int late_work(int n);

__attribute__((noipa)) int late_work(int n)
{
	volatile int twice = 2 * n;
	return twice;
}

static volatile int early;

__attribute__((constructor)) static void begin(void)
{
	for (int i = 0; i < 5; i++)
		early += late_work(i);
}
