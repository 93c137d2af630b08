/* What a name leads to, by lists.c, against realpath: random names in a folder with
 * folders, files and links of all kinds. Then what is in a set, and what is below it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static int (*say)(const char *, ...) = printf;
static size_t (*length)(const char *) = strlen;
static void *(*move)(void *, const void *, size_t) = memcpy;
static void *(*fill)(void *, int, size_t) = memset;
#include "../../../preload/core/shape.c"
#include "../../../preload/core/lists.c"

static struct seam_core core;
struct seam_core *seam = &core;
__thread struct seam_tls seam_tls;
volatile uint32_t *seam_alive, *seam_epoch;
uint32_t seam_use_tsc;
struct seam_tls *seam_whose(void) { return &seam_tls; }
int seam_left_by_jump(struct seam_tls *t, const struct seam_frame *f) { (void)t; (void)f; return 0; }
int seam_act_holds(struct seam_tls *t, const struct seam_filter *q, const struct seam_frame *f) { (void)t; (void)q; (void)f; return 0; }
unsigned seam_read_bytes(struct seam_tls *t, uint64_t from, void *to, unsigned n) { (void)t; move(to, (void *)from, n); return n; }
int seam_read_text(struct seam_tls *t, uint64_t from, void *to, unsigned max, int *cut)
{
	(void)t;
	unsigned n = length((char *)from);
	*cut = n >= max;
	move(to, (void *)from, n < max ? n : max);
	return n < max ? n : max;
}

static const char *parts[] = { "a", "b", "a/b", "..", ".", "", "f", "up", "abs", "deep", "loop", "dangling", "self", "../..", "a/up", "far" };
#define N(a) (sizeof(a) / sizeof *(a))

static int leads(const char *name, int dir, int keep, char *to)
{
	union { struct seam_frame f; char room[sizeof(struct seam_frame) + 64]; } u;
	struct seam_names a = { .n = 1, .arg = { 0 }, .dir = { 1 }, .keep = { keep }, .flags = SEAM_NO_WORD };
	static struct walk w;
	fill(&u, 0, sizeof u);
	u.f.words[0] = (uint64_t)name;
	u.f.words[1] = dir;
	int is = leads_to(&seam_tls, &a, 0, &u.f, &w);
	w.out[w.n] = 0;
	if (!w.n) {
		w.out[0] = '/';
		w.out[1] = 0;
	}
	move(to, w.out, length(w.out) + 1);
	return is;
}

/* A plan with a set in it. */
static char plan[4096];
static int64_t make_set(const char *const *texts, unsigned n)
{
	struct seam_set *s = (void *)(plan + 128);
	struct seam_set_entry *e = (void *)(s + 1);
	unsigned at = 2048;
	s->n = n;
	for (unsigned i = 0; i < n; i++) {
		uint64_t h = HASH_BEGIN;
		for (const char *c = texts[i]; *c; c++)
			h = hash_byte(h, *c);
		unsigned k = i;
		for (; k && e[k - 1].hash > h; k--)
			e[k] = e[k - 1];
		e[k] = (struct seam_set_entry){ h, at, length(texts[i]) };
		move(plan + at, texts[i], length(texts[i]));
		at += length(texts[i]);
	}
	return 128;
}

static int in(int64_t set, const char *path)
{
	struct walk w;
	w.n = path[1] ? length(path) : 0;
	move(w.out, path, w.n);
	w.out[w.n] = 0;
	return within(plan, set, &w);
}

int main(int argc, char **argv)
{
	char name[PATH_MAX], real[PATH_MAX], got[2048], top[PATH_MAX];
	unsigned seed = argc > 1 ? atoi(argv[1]) : 7, there = 0;
	if (!mkdtemp(move(name, "/tmp/seam-listsXXXXXX", 22)) || chdir(name) || !getcwd(top, sizeof top))
		return 1;
	mkdir("a", 0700); mkdir("a/b", 0700); mkdir("b", 0700); mkdir("b/a", 0700);
	close(open("f", O_CREAT | O_WRONLY, 0600)); close(open("a/f", O_CREAT | O_WRONLY, 0600));
	if (symlink("..", "a/up") || symlink(top, "abs") || symlink("a/up/a/./b", "deep") || symlink("loop", "loop") || symlink("nowhere", "dangling") ||
	    symlink(".", "self") || symlink("../b//a/..", "a/far") || symlink("abs/self/a", "far") || symlink("/", "a/b/up"))
		return 1;
	int dir = open("a", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 12000; i++) {
		unsigned n = 0;
		name[0] = 0;
		if (rand_r(&seed) % 4 == 0)
			n = sprintf(name, "%s/", top);
		for (int k = rand_r(&seed) % 7; k >= 0; k--)
			n += sprintf(name + n, "%s%s", parts[rand_r(&seed) % N(parts)], k ? "/" : "");
		if (!name[0])
			continue;
		int from = rand_r(&seed) % 2 ? dir : AT_FDCWD_;
		if (from == dir && fchdir(dir))
			return 1;
		int is_there = realpath(name, real) != 0;
		if (chdir(top))
			return 1;
		int is = leads(name, from, 0, got);
		if (!is_there)
			continue;
		there++;
		if (is != THERE || strcmp(got, real)) {
			say("%s from %s: %d %s, want %s\n", name, from == dir ? "a" : ".", is, got, real);
			return 1;
		}
	}
	if (there < 2000) {
		say("only %u names led anywhere\n", there);
		return 1;
	}
	/* the link itself; a loop; a pipe; too long */
	int p[2];
	char link[64];
	if (leads("deep", AT_FDCWD_, 1, got) != THERE || strcmp(strrchr(got, '/'), "/deep") || leads("loop", AT_FDCWD_, 0, got) != NOWHERE || pipe(p))
		return say("links\n"), 1;
	sprintf(link, "/proc/self/fd/%d", p[0]);
	if (leads(link, AT_FDCWD_, 0, got) != NO_FILE || leads("", AT_FDCWD_, 0, got) != NO_FILE || leads("/proc/self/status", AT_FDCWD_, 0, got) != THERE || strcmp(got, "/proc/self/status"))
		return say("/proc\n"), 1;
	if (leads("/proc/thread-self/../../cwd", AT_FDCWD_, 0, got) != NOWHERE || leads("/proc/self/../self/cwd", AT_FDCWD_, 0, got) != THERE || strcmp(got, top))
		return say("above /proc/self\n"), 1;
	/* a link whose text has a colon is a pipe or its like in /proc, and there alone */
	for (int k = 0; k < 2; k++) {
		static struct walk w;
		const char *at = k ? "/proc/1/fd/3" : "/priv/1/fd/3", *text = "a:b/../../x";
		w.n = length(at);
		move(w.out, at, w.n + 1);
		w.at = NAME;
		move(w.rest, text, length(text));
		if (follow(&w, length(text)) != (k ? NO_FILE : THERE))
			return say("a link in %s\n", at), 1;
	}
	fill(name, 'x', 1100);
	name[1100] = 0;
	if (leads(name, AT_FDCWD_, 0, got) != NOWHERE)
		return say("a long name\n"), 1;
	for (unsigned n = 900; n < 1023; n++) { /* at each distance from the end of the buffers */
		name[n + 1] = 'x';
		name[0] = '/';
		name[n] = 0;
		if (leads(name, AT_FDCWD_, 0, got) != THERE || strcmp(got, name))
			return say("a name of %u bytes\n", n), 1;
		name[n] = 'x';
	}
	const char *some[] = { "/srv/www", "/etc/.", "/x/a" };
	int64_t set = make_set(some, 3);
	if (!in(set, "/srv/www") || !in(set, "/srv/www/a/b") || in(set, "/srv/wwwx") || in(set, "/srv") || !in(set, "/etc") || in(set, "/etc/passwd") ||
	    in(set, "/") || !in(set, "/x/a") || in(set, "/x/b"))
		return say("a set\n"), 1;
	const char *all[] = { "/" }, *root[] = { "/." };
	if (!in(make_set(all, 1), "/") || !in(128, "/a/b") || !in(make_set(root, 1), "/") || in(128, "/a"))
		return say("the root\n"), 1;
	if (chdir("/"))
		return 1;
	char clean[PATH_MAX + 16];
	sprintf(clean, "rm -r %s", top);
	if (system(clean))
		return 1;
	say("ok\n");
	return 0;
}
