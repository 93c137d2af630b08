/* Callbacks for nwork.c, a shared object for each case (-DCASE_...). */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "seam_callback.h"

int work(int n);
static int calls;
static char text[64];

/* Clobbers errno and vector registers, as any code may. */
static void busy(struct seam_call *c)
{
	snprintf(text, sizeof text, "%s %f", c->function->name, c->arg[0] * 1.5);
	errno = ENOTNAM;
}

#if defined CASE_BASIC
static int before(struct seam_call *c)
{
	int n = c->arg[0];
	busy(c);
	c->data = 1000 + n;
	if (c->size < sizeof *c || c->position != SEAM_PRE || strcmp(c->function->name, "work") || c->function->args != 1 || *(int *)c->context != 42)
		return -1;
	if (n == 5) {
		c->arg[0] = 7;
		return SEAM_CHANGED;
	}
	if (n == 6) {
		c->result = -5;
		c->error = ENOTTY;
		return SEAM_REFUSED;
	}
	c->arg[0] = 99; /* nobody is told that it was changed */
	return SEAM_CONTINUE;
}

static int after(struct seam_call *c)
{
	busy(c);
	if ((int)c->result != 40)
		return SEAM_CONTINUE;
	c->result = c->data;
	c->error = ECHILD;
	return SEAM_CHANGED;
}

static int when_failing(struct seam_call *c)
{
	busy(c);
	if (c->error != EINVAL || c->position != SEAM_FAILING)
		return -1;
	c->error = ERANGE;
	return SEAM_CHANGED;
}

static int eight(struct seam_call *c)
{
	if (c->arg[6] != 7 || c->arg[7] != 8)
		return -1;
	c->arg[1] = 9;
	c->arg[7] = 3;
	return SEAM_CHANGED;
}

static int never(struct seam_call *c) { abort(); }

static int context = 42;
const struct seam_callback seam_callbacks[] = {
	SEAM_CALLBACK_WITH(SEAM_PRE, "nwork:work", before, &context),
	SEAM_CALLBACK(SEAM_POST, "nwork:work", after),
	SEAM_CALLBACK(SEAM_FAILING, "nwork:work", when_failing),
	SEAM_CALLBACK(SEAM_PRE, "nwork:work8", eight),
	SEAM_CALLBACK(SEAM_POST, "nwork:work if n == 12345", never),
};
#elif defined CASE_SELF
static int itself(struct seam_call *c)
{
	c->arg[0] = work(c->arg[0]); /* not called again for this one */
	calls++;
	return SEAM_CHANGED;
}
const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(SEAM_PRE, "nwork:work", itself) };
#elif defined CASE_ERRS
static int errs(struct seam_call *c)
{
	c->arg[0] = c->result = 5555;
	calls++;
	return -1;
}
const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(SEAM_PRE, "nwork:work", errs) };
static __attribute__((destructor)) void said(void) { printf("called %d\n", calls); }
#elif defined CASE_FORKS
static int forks(struct seam_call *c)
{
	if (c->arg[0] == 3)
		fork();
	return SEAM_CONTINUE;
}
const struct seam_callback seam_callbacks[] = {
#ifdef AFTER
	SEAM_CALLBACK(SEAM_POST, "nwork:work", forks)
#else
	SEAM_CALLBACK(SEAM_PRE, "nwork:work", forks)
#endif
};
#elif defined CASE_JUMP
extern jmp_buf nwork_env;
static int jumps(struct seam_call *c)
{
	if (c->arg[0] % 4 == 0)
		longjmp(nwork_env, 1);
	if (c->arg[0] == 5000)
		pthread_exit(0);
	if (c->arg[0] == 6001)
		pause(); /* where it is cancelled */
	return SEAM_CONTINUE;
}
const struct seam_callback seam_callbacks[] = {
#ifdef AFTER
	SEAM_CALLBACK(SEAM_POST, "nwork:work", jumps)
#else
	SEAM_CALLBACK(SEAM_PRE, "nwork:work", jumps)
#endif
};
#else /* CASE_COUNT */
static double sum;
static int counts(struct seam_call *c)
{
	sum += c->arg[0];
	__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	if (getenv("NWORK_SLOW") && c->arg[0] == 1)
		usleep(1000);
	return SEAM_CONTINUE;
}
const struct seam_callback seam_callbacks[] = { SEAM_CALLBACK(SEAM_PRE, "nwork:work", counts), SEAM_CALLBACK(SEAM_POST, "nwork:work", counts) };
static __attribute__((destructor)) void said(void) { printf("called %d\n", calls); }
#endif
