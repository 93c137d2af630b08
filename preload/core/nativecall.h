/* nativecall.h: calling a callback (native.c), in line where that is all there is to a call. */
#ifndef SEAM_NATIVECALL_H
#define SEAM_NATIVECALL_H
#include "hot.h"
#include "../../hooks/native/seam_callback.h"
#include "native.h"

static inline uint32_t get_errno(void)
{
	uint32_t e;
	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(e) : "r"(seam_errno_off) : "memory");
	return e;
}

static inline void set_errno(uint32_t e)
{
	__asm__ volatile("movl %0, %%fs:(%1)" : : "r"(e), "r"(seam_errno_off) : "memory");
}

static inline struct seam_rule_state *native_state(uint32_t id)
{
	return (struct seam_rule_state *)arena_at(seam->fixed.rules_off) + id;
}

static inline void native_begin(struct seam_call *c, const struct seam_run *r, const struct seam_frame *f, const struct seam_native *n)
{
	c->size = sizeof *c;
	c->function = r->function;
	c->arg[0] = f->words[0]; c->arg[1] = f->words[1]; c->arg[2] = f->words[2];
	c->arg[3] = f->words[3]; c->arg[4] = f->words[4]; c->arg[5] = f->words[5];
	for (unsigned i = 0; i < r->nstack && i < SEAM_MAX_ARGS - 6; i++)
		c->arg[6 + i] = f->stack[i];
	c->data = f->data;
	c->caller = (const void *)f->caller;
	c->context = n->context;
}

/* What the callback says; errno is as it was. */
static inline int native_call(const struct seam_native *n, struct seam_call *c)
{
	uint32_t err = get_errno();
	int rc = likely(!n->around) ? n->call(c) : (int)n->around((int (*)(void *))n->call, c);
	set_errno(err);
	return rc;
}

/* It was loaded, and is not off. */
static inline int native_on(const struct seam_native *n) { return n->call && likely(*n->failures < SEAM_NATIVE_ERRORS); }

int seam_native_did(const struct seam_run *r, struct seam_frame *f, uint32_t id, int rc, const struct seam_call *c);

/* 1: it changed or refused the call, and the frame says how. */
static inline int native_pre(const struct seam_run *r, struct seam_frame *f, const struct seam_native *n, uint32_t id)
{
	struct seam_call c;
	if (unlikely(!native_on(n)))
		return 0;
	native_begin(&c, r, f, n);
	c.position = SEAM_PRE;
	c.result = 0;
	c.error = 0;
	int rc = native_call(n, &c);
	if (rc >= 0)
		f->data = c.data;
	return unlikely(rc != SEAM_CONTINUE) && seam_native_did(r, f, id, rc, &c);
}

int seam_native_did_after(const struct seam_run *r, struct seam_frame *f, uint32_t id, int rc, const struct seam_call *c);

/* 1: it changed the result, or errno. */
static inline int native_after(const struct seam_run *r, struct seam_frame *f, const struct seam_native *n, uint32_t id, int position)
{
	struct seam_call c;
	if (unlikely(!native_on(n)))
		return 0;
	native_begin(&c, r, f, n);
	c.position = position;
	c.result = f->ret;
	c.error = get_errno();
	int rc = native_call(n, &c);
	if (rc >= 0)
		f->data = c.data;
	return unlikely(rc != SEAM_CONTINUE) && seam_native_did_after(r, f, id, rc, &c);
}
#endif
