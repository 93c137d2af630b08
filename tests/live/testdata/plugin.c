/* A library that comes late, and goes. */
int late_work(int n);
__attribute__((noinline)) static int inner(int n) { __asm__(""); return n + 1; }
__attribute__((noinline)) int late_work(int n) { return inner(n) + 1; }
