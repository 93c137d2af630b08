/* Run the code between step_on and step_off one instruction at a time: a SIGTRAP
 * at each, so that a handler meets seam in every state it can be in. */
#define _GNU_SOURCE
#include <signal.h>
static inline __attribute__((always_inline)) void step_on(void)
{
	__asm__ volatile("lea -128(%%rsp),%%rsp; pushfq; orq $0x100,(%%rsp); popfq; lea 128(%%rsp),%%rsp" ::: "memory", "cc");
}
static inline __attribute__((always_inline)) void step_off(void)
{
	__asm__ volatile("lea -128(%%rsp),%%rsp; pushfq; andq $~0x100,(%%rsp); popfq; lea 128(%%rsp),%%rsp" ::: "memory", "cc");
}
