/* spec.c: reading a spec file's head, and matching objects against it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "load.h"
#include "sys.h"

static int starts(const char *line, const char *key, const char **value)
{
	size_t n = strlen(key);
	if (strncmp(line, key, n) || line[n] != ' ')
		return 0;
	*value = line + n + 1;
	return 1;
}

int seam_spec_read(struct seam_spec *s, const char *path, int own)
{
	/* not libc: a neighbour may have put itself before it. Not waiting: a pipe has no end */
	int fd = sys3(SYS_open, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return -1;
	struct stat st;
	size_t n = 0;
	ssize_t got = sys2(SYS_fstat, fd, &st);
	int good = !got && S_ISREG(st.st_mode) && (!own || ((!st.st_uid || st.st_uid == (uid_t)sys0(SYS_geteuid)) && !(st.st_mode & 022)));
	while (good && n < sizeof s->text - 1 && (got = sys3(SYS_read, fd, s->text + n, sizeof s->text - 1 - n)) > 0)
		n += got;
	sys1(SYS_close, fd);
	s->text[n] = 0;
	s->plans = s->planner = "";
	if (strncmp(s->text, "seam-spec 1\n", 12))
		return -1;
	char *line = s->text + 12, *next;
	for (; *line; line = next) {
		const char *v;
		next = strchr(line, '\n');
		if (!next)
			return starts(line, "json", &v) ? 0 : -1;
		*next++ = 0;
		if (starts(line, "hash", &v))
			s->hash = strtoull(v, 0, 16);
		else if (starts(line, "buffer", &v))
			s->buffer = strtoull(v, 0, 10);
		else if (starts(line, "on-full", &v))
			s->on_full = atoi(v);
		else if (starts(line, "block-ms", &v))
			s->block_ms = atoi(v);
		else if (starts(line, "follow-exec", &v))
			s->follow = atoi(v);
		else if (starts(line, "start", &v))
			s->start = atoi(v);
		else if (starts(line, "control", &v))
			s->control = atoi(v);
		else if (starts(line, "plans", &v)) {
			s->plans = v;
		} else if (starts(line, "planner", &v)) {
			s->planner = v;
		} else if (starts(line, "lib", &v) || starts(line, "path", &v)) {
			if (s->nglobs < MAX_GLOBS) {
				s->globs[s->nglobs].text = v;
				s->has_paths |= line[0] == 'p';
				s->globs[s->nglobs++].is_path = line[0] == 'p';
			}
		} else if (starts(line, "rule", &v)) {
			if (s->nrules == SEAM_MAX_RULES)
				return -1;
			char *end = (char *)v;
			for (int i = 0; i < 8; i++)
				s->when[s->nrules][i] = strtoull(end, &end, 10);
			if (*end != ' ')
				return -1;
			s->natives[s->nrules] = 0;
			s->rules[s->nrules++] = end + 1;
		} else if (starts(line, "native", &v)) {
			if (!s->nrules)
				return -1;
			s->natives[s->nrules - 1] = v;
		} else if (starts(line, "has", &v)) {
			if (s->nhas < MAX_HAS)
				s->has[s->nhas++] = v;
		} else if (starts(line, "json", &v))
			return 0;
	}
	return 0;
}

/* * ? and [a-z] [!a-z], as hooks.Glob. The pattern is ours: short, no nesting. */
static int glob_match(const char *p, const char *s)
{
	const char *star = 0, *mark = 0;
	while (*s) {
		if (*p == '*') {
			star = ++p;
			mark = s;
			continue;
		}
		int ok = 0;
		const char *after = p + 1;
		if (*p == '[') {
			const char *q = p + 1;
			int not = *q == '!' || *q == '^', in = 0;
			q += not;
			for (const char *first = q; *q && (*q != ']' || q == first); q++) {
				if (q[1] == '-' && q[2] && q[2] != ']') {
					in |= *s >= q[0] && *s <= q[2];
					q += 2;
				} else
					in |= *s == *q;
			}
			if (*q) {
				ok = in != not;
				after = q + 1;
			} else
				ok = *s == '[';
		} else
			ok = *p && (*p == '?' || *p == *s);
		if (ok) {
			p = after;
			s++;
		} else if (star) {
			p = star;
			s = ++mark;
		} else
			return 0;
	}
	while (*p == '*')
		p++;
	return !*p;
}

int seam_spec_wants(struct seam_spec *s, const char *path)
{
	const char *base = strrchr(path, '/');
	int wants = 0;
	char real[4096]; /* a spec's paths are real ones; the loader's may be relative, or links */
	base = base ? base + 1 : path;
	if (!s->has_paths || !realpath(path, real))
		real[0] = 0;
	for (uint32_t i = 0; i < s->nglobs; i++)
		if (s->globs[i].is_path ? glob_match(s->globs[i].text, path) || glob_match(s->globs[i].text, real) :
		    glob_match(s->globs[i].text, base))
			wants = s->globs[i].matched = 1;
	return wants;
}

/* A glob that could only ever match libc, which is there, is not waited for. One
 * that matched may match again, unless it names one file. */
int seam_spec_latent(const struct seam_spec *s)
{
	if (s->nhas)
		return 1;
	for (uint32_t i = 0; i < s->nglobs; i++)
		if (strncmp(s->globs[i].text, "libc.so", 7) && !(s->globs[i].is_path && s->globs[i].matched))
			return 1;
	return 0;
}
