/* A library that is loaded late and calls another one's functions through its PLT. */
long work_six(long, long, long, long, long, long);
void plugin_go(long n)
{
	volatile long sink = 0;
	for (long i = 0; i < n; i++)
		sink += work_six(i, 2, 3, 4, 5, 6);
}
