/* Runs a library through the trampolines of a plan: every function of the plan
 * is patched to jump to its own relocated start, and then real work is done
 * with the library. What is printed must not depend on the patching.
 *
 * usage: oracle LIBRARY WORK [PLAN]
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <regex.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include "abi.h"

#define SLOT 256ul /* of one trampoline, at most */

static int die(const char *what)
{
	perror(what);
	exit(3);
}

/* No call in here may go through what is being patched, so it is all by hand. */
static void copy(volatile unsigned char *to, const unsigned char *from, unsigned long n)
{
	while (n--)
		*to++ = *from++;
}

static void patch_all(const char *file, uint64_t bias)
{
	int fd = open(file, O_RDONLY);
	off_t size = lseek(fd, 0, SEEK_END);
	unsigned char *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (fd < 0 || p == MAP_FAILED)
		die(file);
	struct seam_plan *plan = (void *)p;
	struct seam_site *s = (void *)(p + plan->sites_off);
	/* Trampolines within reach, below the library. */
	uint64_t need = (plan->nsites * SLOT + 0xfff) & ~0xffful;
	unsigned char *mem = MAP_FAILED;
	for (uint64_t at = (bias & ~0xfffful) - 0x1000000 - need; mem == MAP_FAILED && bias - at < 0x60000000; at -= 0x1000000)
		mem = mmap((void *)at, need, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (mem == MAP_FAILED)
		die("memory near");
	uint64_t lo = (bias + plan->text_lo) & ~0xffful, hi = (bias + plan->text_hi + 0xfff) & ~0xffful;
	for (uint32_t i = 0; i < plan->nsites; i++)
		if (memcmp((void *)(bias + s[i].vaddr), s[i].orig, s[i].patch_len))
			die("original bytes differ");
	if (mprotect((void *)lo, hi - lo, PROT_READ | PROT_WRITE | PROT_EXEC))
		die("mprotect");
	for (uint32_t i = 0; i < plan->nsites; i++) {
		if (!s[i].patch_len)
			continue;
		unsigned char *t = mem + i * SLOT, jump[5] = { 0xe9 };
		if (s[i].tramp_len > SLOT)
			_exit(4);
		copy(t, p + s[i].tramp_off, s[i].tramp_len);
		struct seam_fix *f = (void *)(p + s[i].fix_off);
		for (uint32_t j = 0; j < s[i].nfix; j++) {
			uint64_t target = f[j].target + bias;
			if (f[j].kind == SEAM_FIX_ABS64) {
				copy(t + f[j].at, (void *)&target, 8);
				continue;
			}
			int32_t d = target - ((uint64_t)t + f[j].at + f[j].addend);
			copy(t + f[j].at, (void *)&d, 4);
		}
		unsigned char *fn = (void *)(bias + s[i].vaddr);
		int32_t d = t - (fn + 5);
		copy(jump + 1, (void *)&d, 4);
		copy(fn, jump, 5);
		/* Nothing may run the rest of what was displaced: make it trap. */
		for (unsigned k = 5; k < s[i].patch_len; k++)
			((volatile unsigned char *)fn)[k] = 0xcc;
	}
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void work_libc(void)
{
	int v[100];
	unsigned seed = 7;
	for (int i = 0; i < 100; i++)
		v[i] = rand_r(&seed) % 1000;
	qsort(v, 100, sizeof *v, by_number);
	for (int i = 0; i < 100; i += 9)
		printf("%d ", v[i]);
	printf("\n%.17g %a %e %Lg\n", strtod("3.14159265358979", 0), 0.1, 1e-300, 2.5L);
	char buf[256], *save, *list = strdup("alpha,beta;gamma delta");
	for (char *w = strtok_r(list, ",; ", &save); w; w = strtok_r(0, ",; ", &save))
		printf("[%s]", w);
	free(list);
	int a, b;
	sscanf("17 0x1f rest", "%d %i %9s", &a, &b, buf);
	printf("\n%d %d %s %ld %lu\n", a, b, buf, strtol("-99", 0, 10), strtoul("777", 0, 8));
	regex_t re;
	regmatch_t m[3];
	printf("%d ", regcomp(&re, "([a-z]+)=([0-9]*)", REG_EXTENDED));
	int found = regexec(&re, "key=42;", 3, m, 0);
	printf("%d %d %d\n", found, (int)m[2].rm_so, (int)m[2].rm_eo);
	regfree(&re);
	time_t t = 86400 * 365;
	struct tm tm;
	strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S %A", gmtime_r(&t, &tm));
	printf("%s %ld\n", buf, (long)timegm(&tm));
	setlocale(LC_ALL, "C");
	wchar_t wide[32];
	mbstowcs(wide, "wide text", 32);
	printf("%zu %ls\n", wcslen(wide), wide);
	void *root = 0;
	for (int i = 0; i < 50; i++)
		tsearch(&v[i], &root, by_number);
	printf("%d\n", **(int **)tfind(&v[30], &root, by_number));
	FILE *f = tmpfile();
	for (int i = 0; i < 3000; i++)
		fprintf(f, "line %d %s\n", i, i % 2 ? "odd" : "even");
	rewind(f);
	size_t n = 0, sum = 0;
	char *line = 0;
	while (getline(&line, &n, f) > 0)
		sum += strlen(line);
	printf("%zu %s", sum, line);
	free(line);
	fclose(f);
	for (int i = 0; i < 2000; i++)
		free(realloc(calloc(1, i), 2 * i + 1));
	setenv("SEAM_ORACLE", "x", 1);
	printf("%s %s\n", getenv("SEAM_ORACLE"), strerror(2));
	FILE *p = popen("echo from a child", "r");
	printf("%s", fgets(buf, sizeof buf, p) ? buf : "none\n");
	printf("%d\n", pclose(p));
}

static int show(void *unused, int n, char **v, char **names)
{
	for (int i = 0; i < n; i++)
		printf("%s=%s ", names[i], v[i] ? v[i] : "NULL");
	printf("\n");
	return 0;
}

static void work_sqlite(void *lib)
{
	int (*open_)(const char *, void **) = dlsym(lib, "sqlite3_open");
	int (*exec)(void *, const char *, int (*)(void *, int, char **, char **), void *, char **) = dlsym(lib, "sqlite3_exec");
	const char *(*errmsg)(void *) = dlsym(lib, "sqlite3_errmsg");
	int (*close_)(void *) = dlsym(lib, "sqlite3_close");
	static const char *sql[] = {
		"create table t(id integer primary key, name text, x real)",
		"with recursive n(i) as (select 1 union all select i+1 from n where i<500) insert into t select i, 'n'||(i%17), i*1.5 from n",
		"create index by_name on t(name)",
		"select name, count(*), sum(x), group_concat(id) from t where id<60 group by name order by 2 desc, 1 limit 5",
		"select a.id, b.id from t a join t b on a.name=b.name and a.id<b.id where a.id<4 order by 1,2 limit 7",
		"update t set x=x+1 where name like 'n1%'; delete from t where id%3=0; select count(*), total(x) from t",
		"select rank() over (partition by name order by id), id from t where id<40 order by 2 limit 6",
		"select json_extract('{\"a\":[1,2,{\"b\":7}]}', '$.a[2].b'), printf('%08.3f', 3.14159), hex(zeroblob(3)), date(0,'unixepoch')",
		"begin; insert into t(name) values('zz'); rollback; select count(*) from t",
		"explain query plan select * from t where name='n3'",
		"select nonsense from nowhere",
		"vacuum; pragma integrity_check",
		0,
	};
	void *db;
	if (open_(":memory:", &db))
		die("sqlite3_open");
	for (int i = 0; sql[i]; i++) {
		int rc = exec(db, sql[i], show, 0, 0);
		printf("%d %s\n", rc, errmsg(db));
	}
	printf("%d\n", close_(db));
}

static void work_crypto(void *lib)
{
	unsigned char out[64];
	unsigned n = 0;
	static const char *names[] = { "SHA256", "SHA512", "SHA3-256", "BLAKE2b512", "MD5", 0 };
	void *(*fetch)(void *, const char *, const char *) = dlsym(lib, "EVP_MD_fetch");
	int (*digest)(const void *, size_t, unsigned char *, unsigned *, void *, void *) = dlsym(lib, "EVP_Digest");
	for (int i = 0; names[i]; i++) {
		void *md = fetch(0, names[i], 0);
		if (!md || !digest(names, 0, out, &n, md, 0) || !digest("seam", 4, out, &n, md, 0))
			die(names[i]);
		for (unsigned k = 0; k < n; k++)
			printf("%02x", out[k]);
		printf("\n");
	}
	int (*dec2bn)(void **, const char *) = dlsym(lib, "BN_dec2bn");
	char *(*bn2dec)(void *) = dlsym(lib, "BN_bn2dec");
	void *(*ctx_new)(void) = dlsym(lib, "BN_CTX_new");
	int (*mod_exp)(void *, void *, void *, void *, void *) = dlsym(lib, "BN_mod_exp");
	void *a = 0, *b = 0, *m = 0, *r = 0;
	dec2bn(&a, "123456789012345678901234567890");
	dec2bn(&b, "98765432109876543210987654321");
	dec2bn(&m, "1000000000000000000000000000000000000000000000000000000007");
	dec2bn(&r, "0");
	printf("%d ", mod_exp(r, a, b, m, ctx_new()));
	printf("%s\n", bn2dec(r));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, 0, _IOFBF, 1 << 16);
	void *lib = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	struct link_map *map;
	if (!lib || dlinfo(lib, RTLD_DI_LINKMAP, &map))
		die(argv[1]);
	if (argc > 3)
		patch_all(argv[3], map->l_addr);
	if (!strcmp(argv[2], "libc"))
		work_libc();
	else if (!strcmp(argv[2], "sqlite"))
		work_sqlite(lib);
	else
		work_crypto(lib);
	fflush(stdout);
	return 0;
}
