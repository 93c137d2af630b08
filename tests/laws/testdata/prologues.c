#include <stdio.h>
#define EACH(F) F(early_rip) F(early_lea) F(early_branch) F(early_jump) F(with_endbr) F(tail_call) F(tail_endbr) F(early_call) \
	F(loop_to_start) F(loop_into_start) F(too_short) F(early_jrcxz) F(red_zone) F(reads_return_address) F(pushes_first) F(sets_flags)
#define DECLARE(f) long f(long);
EACH(DECLARE)
int main(void)
{
#define CALL(f) { printf(#f); for (long i = 0; i < 200; i++) printf(" %ld", f(i)); puts(""); }
	EACH(CALL)
	return 0;
}
