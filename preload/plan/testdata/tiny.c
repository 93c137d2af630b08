/* A library small enough for a fuzzer to hold in its head. */
int counter = 3;
int f(int a) { return a * counter; }
int g(int *p) { return p ? *p : -1; }
int h(int a) { switch (a) { case 1: return g(&counter); default: return f(a); } }
