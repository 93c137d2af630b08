enum color { RED, BLUE = 7 };
struct pair { int a; long b; };
static __attribute__((noinline)) int inner(const char *s, enum color c, struct pair p, double d) { asm volatile(""); return s[0] + c + p.a + d; }
int outer(int n, char **v) { return inner(v[0], n, (struct pair){ n, 2 }, 0.5); }
