// A class, and what its names become.
#include <cstdio>

namespace ns {
enum class Mode : unsigned char { Fast, Slow = 9 };
class Parser {
	int n;
public:
	explicit Parser(int k) : n(k) {}
	__attribute__((noinline)) int parse(const char *s, Mode m);
};
int Parser::parse(const char *s, Mode m) { asm volatile("" ::: "memory"); return n + s[0] + (int)m; }
}

int main() { ns::Parser p(3); std::printf("%d\n", p.parse("xyz", ns::Mode::Slow)); }
