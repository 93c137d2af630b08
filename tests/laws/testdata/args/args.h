/* args.h: what the parts of the fuzzer share. It calls each function of a table
 * with hostile arguments, each function in a process of its own, and says how
 * every call went. The same seed makes the same calls. */
#ifndef ARGS_H
#define ARGS_H
#define _GNU_SOURCE
#include <stdint.h>

enum type { /* hooks.Type, in its order */
	T_INT = 1, T_UINT, T_PTR, T_FD, T_STRING, T_BUFFER, T_FLAGS, T_ENUM, T_SOCKADDR, T_STRV, T_SQL, T_FLOAT, T_VOID, T_STRUCT, T_PID, T_MODE, T_ERRNO,
};
enum rule { /* what an argument must not be, although its type allows it: args_table_test.go says why */
	R_NONE, R_SLEEP, R_NOT_ALL, R_OWN, R_PRCTL, R_SYSCALL, R_CLONE, R_NOT_USER, R_SHM, R_KEY, R_WAIT, R_TREE, R_ALIGNED,
};
enum { RESULT_PLAIN, RESULT_SIGN /* only its sign is the same in two runs */, RESULT_NONE };

struct arg {
	const char *name;
	uint8_t type, size, out;
	int8_t len;             /* index of the argument that counts, < 0 none */
	const char *set;        /* structure */
	uint8_t rule;
};
struct function {
	const char *name;
	uint8_t ret, ret_size, result, variadic, nargs, few; /* few: no argument, or dear: two calls will do */
	struct arg a[10];
};
extern const struct function functions[];
extern const int nfunctions;

/* The log of one function's calls: shared memory, so it outlives whoever writes. */
#define LOG_SIZE (1 << 20)
struct log {
	volatile uint32_t len;
	volatile uint32_t begun, done;  /* calls */
	volatile uint32_t alive;        /* bumped by several threads: not all sleep */
	char text[LOG_SIZE - 16];
};

static inline long raw(long n, ...)
{
	__builtin_va_list ap;
	long a[6], ret;
	__builtin_va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = __builtin_va_arg(ap, long);
	__builtin_va_end(ap);
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return ret;
}
#define raw(...) raw(__VA_ARGS__, 0L, 0L, 0L, 0L, 0L, 0L)

/* memory.c: memory of every kind, at the same addresses in every run. */
#define BASE 0x1000000000ul
#define PAGE 4096ul
#define RW (BASE)                       /* 8 pages, then nothing */
#define RW_END (BASE + 8 * PAGE)
#define EDGE_END (BASE + 0x100000 + PAGE)  /* end of a page, then nothing */
#define NONE (BASE + 0x200000 + PAGE)   /* PROT_NONE, a page before it */
#define RO (BASE + 0x300000)            /* 2 pages */
#define CUT (BASE + 0x400000 + PAGE)    /* mapped file behind its end: SIGBUS */
#define EXEC (BASE + 0x500000)          /* PROT_EXEC alone */
#define HOLE (BASE + 0x700000)
#define CHURN (BASE + 0x800000)         /* 8 pages: another thread maps and unmaps them (threads.c) */
void make_memory(const char *file);
void fill_memory(void);                 /* as it was, before each call */
void sum_memory(uint64_t *where, uint64_t *what); /* which words differ from that; their values */

/* fixture.c: descriptors and files that a function's process has. */
void make_folder(void);
void make_descriptors(void);
/* valid, made when first wanted */
void *stream(void), *dir(void), *db(void), *stmt(void);

/* generate.c: arguments. */
struct call { uint64_t w[10]; char text[900]; unsigned len; };
void generate(struct call *c, const struct function *f, uint64_t seed, int call, int churn);
uint64_t mix(uint64_t x);
extern char shm_path[64]; /* the one name that functions for shared memory get; the worker removes it */

/* call.c */
void say(struct log *l, const char *s);
void say_num(struct log *l, long v);
void one_call(struct log *l, const struct function *f, void *addr, uint64_t seed, int call);
/* threads.c */
void threads_call(struct log *l, const struct function *f, void *addr, uint64_t seed, int rounds);
#endif
