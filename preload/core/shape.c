/* shape.c: the shape of a statement, for conditions on SQL: NormalizeSQL of
 * hooks/sqlnorm.go and First of hooks/sqlshape, byte for byte the same, here on the host's
 * thread. A test compares them on texts of all kinds; whoever changes one changes the other.
 *
 * Literals become ?, comments go, white space becomes one space, lists of IN and rows of
 * VALUES are folded. What comes out is at most half as long again as what goes in: a space
 * behind each comma and semicolon.
 */
#include "hot.h"
#include "shape.h"

enum tok { TOK_NONE, TOK_WORD, TOK_IDENT, TOK_VALUE, TOK_OPEN, TOK_CLOSE, TOK_COMMA, TOK_COMPARE, TOK_OP, TOK_SEMI };
enum kind { WORD_OTHER, WORD_IN, WORD_VALUES, WORD_AS, WORD_PRAGMA, WORD_LITERAL };

struct norm {
	const unsigned char *src;
	unsigned char *dst;
	unsigned n, pos, len;           /* bytes of src, read so far; bytes of dst */
	uint8_t tok, word;
	uint8_t space;                  /* white space is due before the next token */
	uint8_t pragma;                 /* 1: its name follows, 2: of a secret one, drop all but the name */
	uint8_t in_clean, values, rows_done;
	unsigned in;                    /* where the list of IN begins in dst, behind its (; 0 none */
	int depth;                      /* of parentheses since VALUES */
	unsigned row_from, first_lo, first_hi;
};

static unsigned char at(const struct norm *m, unsigned k)
{
	return m->pos + k < m->n ? m->src[m->pos + k] : 0;
}

static int digit(unsigned char c) { return c >= '0' && c <= '9'; }
static unsigned char lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
static int ident(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || digit(c) || c >= 0x80;
}

/* w[0..n) is this word, in lower case. */
static int same(const unsigned char *w, unsigned n, const char *word)
{
	unsigned i = 0;
	while (i < n && word[i] && lower(w[i]) == (unsigned char)word[i])
		i++;
	return i == n && !word[i];
}

static int among(const unsigned char *w, unsigned n, const char *words)
{
	/* words: each with a blank behind it */
	while (*words) {
		unsigned i = 0;
		while (i < n && words[i] != ' ' && lower(w[i]) == (unsigned char)words[i])
			i++;
		if (i == n && words[i] == ' ')
			return 1;
		while (*words++ != ' ')
			;
	}
	return 0;
}

static int secret_pragma(const unsigned char *w, unsigned n)
{
	return among(w, n, "key rekey hexkey hexrekey textkey textrekey cipher_salt ");
}

static uint8_t classify(const unsigned char *w, unsigned n)
{
	if (same(w, n, "in"))
		return WORD_IN;
	if (same(w, n, "as"))
		return WORD_AS;
	if (same(w, n, "values"))
		return WORD_VALUES;
	if (same(w, n, "pragma"))
		return WORD_PRAGMA;
	return among(w, n, "is key not like glob then else when match limit regexp attach between default database ") ? WORD_LITERAL : WORD_OTHER;
}

static void put(struct norm *m, unsigned char c) { m->dst[m->len++] = c; }
static void put_all(struct norm *m, unsigned from, unsigned to)
{
	while (from < to)
		put(m, m->src[from++]);
}

static void begin(struct norm *m, uint8_t tok)
{
	if (m->tok == TOK_COMMA)
		m->space = 1;
	if (m->space && m->len && m->tok != TOK_OPEN && tok != TOK_CLOSE && tok != TOK_COMMA && tok != TOK_SEMI)
		put(m, ' ');
	m->space = 0;
	if (tok != TOK_VALUE && tok != TOK_COMMA && tok != TOK_CLOSE)
		m->in_clean = 0;
	m->tok = tok;
}

static int only_values(const struct norm *m)
{
	for (unsigned i = m->in; i < m->len; i++)
		if (m->dst[i] != '?' && m->dst[i] != ',' && m->dst[i] != ' ')
			return 0;
	return 1;
}

/* Takes back a sign that belongs to the literal. */
static void fold_sign(struct norm *m)
{
	if (m->tok != TOK_OP || !m->len)
		return;
	unsigned end = m->len - 1, before = end;
	if (m->dst[end] != '-' && m->dst[end] != '+')
		return;
	while (before && m->dst[before - 1] == ' ')
		before--;
	unsigned char c = before ? m->dst[before - 1] : 0;
	if (before && c != '(' && c != ',' && c != '=' && c != '<' && c != '>')
		return;
	m->len = before;
	if (!before)
		m->tok = TOK_NONE;
	else if (c == '(')
		m->tok = TOK_OPEN;
	else if (c == ',')
		m->tok = TOK_COMMA;
	else {
		m->tok = TOK_COMPARE;
		m->space = before < end;
	}
	if (m->in && (m->tok == TOK_OPEN || m->tok == TOK_COMMA))
		m->in_clean = only_values(m);
}

static void value(struct norm *m)
{
	fold_sign(m);
	begin(m, TOK_VALUE);
	put(m, '?');
	m->word = WORD_OTHER;
}

/* Passes over quotes in which the quote is doubled; 0: it is not closed. */
static int quoted_end(struct norm *m, unsigned char q)
{
	for (m->pos++; m->pos < m->n; m->pos++) {
		if (m->src[m->pos] != q)
			continue;
		if (at(m, 1) != q) {
			m->pos++;
			return 1;
		}
		m->pos++;
	}
	return 0;
}

/* A quoted name, from where to pos. */
static void name(struct norm *m, unsigned from)
{
	unsigned n = m->pos - from;
	begin(m, TOK_IDENT);
	if (m->pragma == 1) {
		m->pragma = 0;
		if (n > 2 && secret_pragma(m->src + from + 1, n - 2))
			m->pragma = 2;
	}
	put_all(m, from, m->pos);
	m->word = WORD_OTHER;
}

static void double_quoted(struct norm *m)
{
	unsigned from = m->pos;
	int closed = quoted_end(m, '"');
	const unsigned char *text = m->src + from;
	unsigned n = m->pos - from;
	int dot = at(m, 0) == '.' || (m->tok == TOK_OP && m->len && m->dst[m->len - 1] == '.');
	int value_here = m->tok == TOK_COMPARE || m->in || m->values || (m->word == WORD_LITERAL && m->tok == TOK_WORD);
	int plain = closed && n > 2 && ident(text[1]) && !digit(text[1]);
	for (unsigned i = 1; i + 1 < n; i++)
		plain = plain && (ident(text[i]) || text[i] == '$');
	if (m->pragma == 2 || !(closed && (dot || (m->word == WORD_AS && m->tok == TOK_WORD) || (plain && !value_here))))
		value(m);
	else
		name(m, from);
}

static void bracketed(struct norm *m)
{
	unsigned from = m->pos;
	while (m->pos < m->n && m->src[m->pos] != ']')
		m->pos++;
	int open = m->pos == m->n;
	m->pos += !open;
	if (open || m->pragma == 2)
		value(m);
	else
		name(m, from);
}

static void number(struct norm *m)
{
	while (m->pos < m->n && (ident(m->src[m->pos]) || m->src[m->pos] == '.')) {
		unsigned char c = m->src[m->pos++];
		if (lower(c) == 'e' && (at(m, 0) == '-' || at(m, 0) == '+') && digit(at(m, 1)))
			m->pos++;
	}
	value(m);
}

static void param(struct norm *m)
{
	fold_sign(m);
	begin(m, TOK_VALUE);
	unsigned from = m->pos++;
	int tcl = m->src[from] == '$';
	while (m->pos < m->n && (ident(m->src[m->pos]) || (tcl && m->src[m->pos] == ':' && at(m, 1) == ':')))
		m->pos += m->src[m->pos] == ':' ? 2 : 1;
	put_all(m, from, m->pos);
	if (tcl && at(m, 0) == '(') {
		while (m->pos < m->n && m->src[m->pos] != ')' && m->src[m->pos] > ' ')
			m->pos++;
		if (at(m, 0) == ')')
			m->pos++;
	}
	m->word = WORD_OTHER;
}

static void identifier(struct norm *m)
{
	unsigned from = m->pos;
	while (m->pos < m->n && (ident(m->src[m->pos]) || m->src[m->pos] == '$'))
		m->pos++;
	const unsigned char *w = m->src + from;
	unsigned n = m->pos - from;
	if (n == 1 && (w[0] | 0x20) == 'x' && at(m, 0) == '\'') {
		quoted_end(m, '\'');
		value(m);
		return;
	}
	if (m->pragma == 2) {
		value(m);
		return;
	}
	begin(m, TOK_WORD);
	put_all(m, from, m->pos);
	m->word = classify(w, n);
	if (m->pragma == 1) {
		if (at(m, 0) != '.') /* main.key has its schema before it */
			m->pragma = secret_pragma(w, n) ? 2 : 0;
	} else if (m->word == WORD_PRAGMA) {
		m->pragma = 1;
	} else if (m->word == WORD_VALUES) {
		m->values = 1;
		m->depth = 0;
		m->rows_done = 0;
	} else if (m->values && !m->depth) {
		m->values = 0;
	}
}

/* The end of a list of IN or of a row of VALUES: what repeats is folded. */
static void close_list(struct norm *m, int empty)
{
	if (m->in) {
		if (m->in_clean && !empty) {
			m->len = m->in;
			put(m, '?');
		}
		m->in = 0;
	}
	put(m, ')');
	if (!m->values || !m->depth || --m->depth > 0)
		return;
	if (!m->rows_done) {
		m->rows_done = 1;
		m->first_lo = m->row_from;
		m->first_hi = m->len;
		return;
	}
	unsigned n = m->len - m->row_from, i = 0;
	if (n != m->first_hi - m->first_lo)
		return;
	while (i < n && m->dst[m->row_from + i] == m->dst[m->first_lo + i])
		i++;
	if (i == n)
		m->len = m->first_hi;
}

static void punctuation(struct norm *m, unsigned char c)
{
	int was;
	m->pos++;
	switch (c) {
	case '(':
		was = m->word == WORD_IN && m->tok == TOK_WORD;
		begin(m, TOK_OPEN);
		put(m, '(');
		if (was && !m->in) {
			m->in = m->len;
			m->in_clean = 1;
		}
		if (m->values && m->depth++ == 0)
			m->row_from = m->len - 1;
		break;
	case ')':
		was = m->tok == TOK_OPEN;
		begin(m, TOK_CLOSE);
		close_list(m, was);
		break;
	case ',':
		begin(m, TOK_COMMA);
		put(m, ',');
		break;
	case ';':
		begin(m, TOK_SEMI);
		put(m, ';');
		m->pragma = m->values = 0;
		m->in = 0;
		m->space = 1;
		break;
	case '=': case '<': case '>': case '!':
		if (!(m->tok == TOK_COMPARE && !m->space))
			begin(m, TOK_COMPARE);
		put(m, c);
		break;
	default:
		if (m->pragma == 2) {
			m->space = 1;
			break;
		}
		begin(m, TOK_OP);
		put(m, c);
	}
	m->word = WORD_OTHER;
}

static void step(struct norm *m)
{
	unsigned char c = m->src[m->pos], next = at(m, 1);
	unsigned from = m->pos;
	if (!c) {
		m->pos = m->n;
	} else if (c <= ' ' || c == 0x7f) {
		m->pos++;
		m->space = 1;
	} else if (c == '-' && next == '-') {
		while (m->pos < m->n && m->src[m->pos] != '\n' && m->src[m->pos])
			m->pos++;
		m->space = 1;
	} else if (c == '/' && next == '*') {
		m->pos += 2;
		while (m->pos < m->n && !(m->src[m->pos] == '*' && at(m, 1) == '/'))
			m->pos++;
		m->pos = m->pos + 2 < m->n ? m->pos + 2 : m->n;
		m->space = 1;
	} else if (c == '\'') {
		quoted_end(m, '\'');
		value(m);
	} else if (c == '"') {
		double_quoted(m);
	} else if (c == '`') {
		if (!quoted_end(m, '`') || m->pragma == 2)
			value(m);
		else
			name(m, from);
	} else if (c == '[') {
		bracketed(m);
	} else if (digit(c) || (c == '.' && digit(next) && m->tok != TOK_WORD && m->tok != TOK_IDENT)) {
		number(m);
	} else if (c == '?') {
		do
			m->pos++;
		while (digit(at(m, 0)));
		value(m);
	} else if ((c == ':' || c == '@' || c == '$' || c == '#') && ident(next)) {
		param(m);
	} else if (ident(c)) {
		identifier(m);
	} else {
		punctuation(m, c);
	}
}

unsigned seam_shape(const char *sql, unsigned n, char *dst)
{
	struct norm m = { .src = (const unsigned char *)sql, .dst = (unsigned char *)dst, .n = n };
	while (m.pos < m.n)
		step(&m);
	while (m.len && (m.dst[m.len - 1] == ' ' || m.dst[m.len - 1] == ';'))
		m.len--;
	return m.len;
}

static unsigned trimmed(const char *s, unsigned n)
{
	while (n && s[n - 1] == ' ')
		n--;
	return n;
}

/* CREATE [TEMP] TRIGGER: its body holds statements of its own. */
static int is_trigger(const char *s, unsigned n)
{
	unsigned at = 0, words = 0;
	for (; words < 3 && at < n; words++) {
		unsigned from = at;
		while (at < n && s[at] != ' ')
			at++;
		const unsigned char *w = (const unsigned char *)s + from;
		if (words == 0 && !same(w, at - from, "create"))
			return 0;
		if (words && same(w, at - from, "trigger"))
			return 1;
		at += at < n;
	}
	return 0;
}

/* ... ; END */
static int ends_body(const char *s, unsigned n)
{
	n = trimmed(s, n);
	if (n < 4 || !same((const unsigned char *)s + n - 3, 3, "end"))
		return 0;
	n = trimmed(s, n - 3);
	return n && s[n - 1] == ';';
}

unsigned seam_shape_first(const char *s, unsigned n, unsigned *next)
{
	int trigger = is_trigger(s, n);
	for (unsigned i = 0; i < n; i++) {
		char c = s[i];
		if (c == '"' || c == '`' || c == '[') {
			char end = c == '[' ? ']' : c;
			unsigned j = i + 1;
			while (j < n && s[j] != end)
				j++;
			if (j == n)
				break;
			i = j;
		} else if (c == ';' && (!trigger || ends_body(s, i))) {
			*next = i + 1;
			return trimmed(s, i);
		}
	}
	*next = 0;
	return n;
}
