/* seam_callback.h: callbacks of your own, in a shared object, for seam run --native.
 *
 *   #include "seam_callback.h"
 *   static int slow_disk(struct seam_call *c) { ...; return SEAM_CONTINUE; }
 *   const struct seam_callback seam_callbacks[] = {
 *           SEAM_CALLBACK(SEAM_PRE, "write", slow_disk),
 *   };
 *
 *   cc -shared -fPIC -O2 -o slow.so slow.c
 *   seam run --native ./slow.so -- program
 *
 * Any language that makes a shared object with this table in it will do: it is
 * read from the file, by its name in the dynamic symbol table, before anything of it runs.
 *
 * A callback runs on the program's own thread, inside the call. docs/native.md says
 * what it may do there. This ABI only grows: fields are added at the ends of structures, of
 * which `size` tells.
 */
#ifndef SEAM_CALLBACK_H
#define SEAM_CALLBACK_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define SEAM_CALLBACK_ABI 1
#define SEAM_MAX_ARGS 12

enum { /* when a callback is called */
	SEAM_PRE     = 1,       /* before the function: arguments may be changed, the call be refused */
	SEAM_POST    = 2,       /* after it: result and errno may be changed */
	SEAM_FAILING = 3        /* as SEAM_POST, when the function's declaration says that it failed */
};
enum { /* what a callback returns; less than 0: it failed, and whatever it changed is forgotten */
	SEAM_CONTINUE = 0,      /* nothing was changed */
	SEAM_CHANGED  = 1,      /* SEAM_PRE: arg[] was; SEAM_POST, SEAM_FAILING: result or error was */
	SEAM_REFUSED  = 2       /* SEAM_PRE: the function is not called; the call returns `result`, and errno is `error` unless that is 0 */
};

struct seam_function {
	uint32_t size;          /* bytes of this structure */
	uint32_t id;            /* as in the stream of events, within one process and its forked children */
	const char *name;
	uint32_t args;          /* words that its declaration has; of a function without one, 0 to 6 */
	uint32_t flags;         /* 0 */
};

struct seam_call {
	uint32_t size;          /* bytes of this structure */
	uint32_t position;      /* SEAM_PRE, SEAM_POST, SEAM_FAILING */
	const struct seam_function *function;
	uint64_t arg[SEAM_MAX_ARGS]; /* integers and pointers, as the ABI passes them; arg[0..6) are always there, the others when function->args says so */
	uint64_t result;        /* SEAM_POST, SEAM_FAILING: the register of the result */
	int32_t  error;         /* SEAM_POST, SEAM_FAILING: errno; SEAM_PRE: 0 */
	uint32_t pad;
	uint64_t data;          /* yours: what SEAM_PRE leaves here the same call's later callbacks find; at first 0 */
	const void *caller;     /* where the call will return to */
	void    *context;       /* seam_callback.context */
};

struct seam_callback {          /* 160 bytes */
	uint32_t abi;           /* SEAM_CALLBACK_ABI */
	uint32_t position;
	char     function[128]; /* as seam -p takes it: "write", "libz:deflate*", "open if path ^= /etc/"; ends with a 0 */
	int    (*call)(struct seam_call *);
	void    *context;
	uint64_t reserved;      /* 0 */
};
#define SEAM_CALLBACK(position, function, call) { SEAM_CALLBACK_ABI, position, function, call, 0, 0 }
#define SEAM_CALLBACK_WITH(position, function, call, context) { SEAM_CALLBACK_ABI, position, function, call, context, 0 }

#if defined __GNUC__
#pragma GCC visibility push(default)
#endif
extern const struct seam_callback seam_callbacks[]; /* yours */
#if defined __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
