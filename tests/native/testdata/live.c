/* The stores of live.c: functions are patched and restored as fast as can be, while
 * two threads call them. Half a jump, or a jump over more than one instruction, is met within a second. */
#define seam_live(l) __attribute__((unused)) static not_used(l)
#include "../../../preload/core/live.c"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct seam_core *seam;

/* f(n) is 3n+1. Each has its stub: counts, and goes on as the trampoline would. */
__asm__(".text\n.balign 4096\nfirst:\n"
	/* one push, then two bytes */
	".balign 64\npad: .skip 5, 0xcc\n.balign 16, 0xcc\nwith_push: push %rbx\n mov %edi, %ebx\n add %edi, %ebx\n lea 1(%rbx,%rdi), %eax\n pop %rbx\n ret\n"
	"push_stub: lea 8(%rsp), %rsp\n lock incq hits(%rip)\n push %rbx\n mov %edi, %ebx\n jmp with_push + 3\n"
	/* five bytes */
	".balign 64\nin_one: mov $1, %eax\n add %edi, %eax\n add %edi, %eax\n add %edi, %eax\n ret\n"
	"one_stub: lock incq hits(%rip)\n mov $1, %eax\n jmp in_one + 5\n"
	".balign 4096\n");
extern unsigned char first[], pad[], with_push[], push_stub[], in_one[], one_stub[];
int push_fn(int) __asm__("with_push");
int one_fn(int) __asm__("in_one");
uint64_t hits;

static volatile int stop;
static int (*volatile fn)(int);

static void *busy(void *arg)
{
	long n = 0;
	for (; !stop; n++)
		if (fn(n) != (int)(3 * (unsigned)n + 1)) {
			printf("wrong result\n");
			exit(1);
		}
	*(long *)arg = n;
	return 0;
}

static void toggle(const char *name, int (*f)(int), struct seam_place *p, unsigned form, long times)
{
	static struct seam_live live;
	pthread_t t[2];
	long n[2];
	live.form = form;
	p->live = &live;
	p->fn = (uint64_t)f;
	p->want = 1;
	p->patch_len = 7;
	memcpy(p->orig, (void *)f, p->patch_len);
	hits = stop = 0;
	fn = f;
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], 0, busy, &n[i]);
	for (long i = 0; i < times; i++) {
		put_in(p);
		for (volatile int k = 0; k < i % 64; k++)
			;
		take_out(p);
		for (volatile int k = 0; k < i % 48; k++)
			;
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], 0);
	if (memcmp((void *)f, p->orig, p->patch_len) || !hits || hits > (uint64_t)(n[0] + n[1])) {
		printf("%s: %lu of %ld calls came by; or its bytes are others\n", name, hits, n[0] + n[1]);
		exit(1);
	}
}

int main(void)
{
	struct seam_place push = { .at = 1, .undo = 8, .stub = (uint64_t)push_stub, .pad = (uint64_t)pad }, one = { .stub = (uint64_t)one_stub };
	if (mprotect(first, 8192, PROT_READ | PROT_WRITE | PROT_EXEC))
		return 2;
	jump(pad, (uint64_t)pad, push.stub);
	sync_cores();
	toggle("short", push_fn, &push, FORM_SHORT, 1000000);
	toggle("word", one_fn, &one, FORM_WORD, 1000000);
	printf("ok\n");
	return 0;
}
