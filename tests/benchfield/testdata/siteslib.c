/* The library of sites.c, and with PLUGIN_SIDE the plugin. */
#ifdef PLUGIN_SIDE
long site_call(long);
void site_go(void)
{
	volatile long sink = 0;
	for (int i = 0; i < 100; i++)
		sink += site_call(i);
}
#else
__attribute__((noinline, noipa)) long site_call(long a) { return 3 * a + 7; }
void site_inside(long n)
{
	volatile long sink = 0;
	for (long i = 0; i < n; i++)
		sink += site_call(i);
}
#endif
