/* trip.c: the function of which a Go callback is asked. */
__attribute__((noinline)) int work_trip(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}
