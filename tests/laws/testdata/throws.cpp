// C++ exceptions through patched frames: thrown, rethrown, with destructors.
#include <cstdio>
#include <stdexcept>
#include <string>
static int destroyed;
struct Guard { ~Guard() { destroyed++; } };
extern "C" {
__attribute__((noinline, noipa, visibility("default"))) long thrower(long n) { Guard g; if (n % 3) throw std::runtime_error("n" + std::to_string(n)); return n; }
__attribute__((noinline, noipa, visibility("default"))) long passes(long n) { Guard g; return thrower(n) + 1; }
__attribute__((noinline, noipa, visibility("default"))) long rethrows(long n) { try { return passes(n); } catch (std::exception &e) { Guard g; throw; } }
__attribute__((noinline, noipa, visibility("default"))) long catches(long n) { try { return rethrows(n); } catch (std::runtime_error &e) { return -std::stol(e.what() + 1); } }
__attribute__((noinline, noipa, visibility("default"))) long stack10(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j) { if (j == 10) throw j + a; return j; }
}
int main()
{
	long sum = 0;
	for (long i = 0; i < 5000; i++) {
		sum += catches(i);
		try { stack10(i, 2, 3, 4, 5, 6, 7, 8, 9, 10); } catch (long v) { sum += v; }
	}
	std::printf("%ld %d\n", sum, destroyed);
}
