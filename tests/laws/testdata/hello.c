/* Says on both outputs that it ran. */
#include <stdio.h>
int main(void)
{
	puts("hello");
	fputs("world\n", stderr);
	return 3;
}
