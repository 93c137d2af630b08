// What a thread's end calls: destructors of thread_local objects and of pthread
// keys, in threads that return, exit, are cancelled, or throw; then those of the first thread
// and of the program. Each calls hooked functions.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <vector>
#define API extern "C" __attribute__((noinline, noipa, visibility("default")))
API long work(long n) { return n + 1; }
API long tick(long n) { return n + 1; }
static std::atomic<long> works, ticks, wrong;
static void call(int n)
{
	for (int i = 0; i < n; i++) {
		works++;
		wrong += work(i) != i + 1;
	}
}
struct Local {
	int n = 3;
	Local() { call(1); }
	~Local() { call(n); }
};
static thread_local Local local;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void at_end(void *p)
{
	ticks++;
	wrong += tick(5) != 6;
	long rounds = (long)p - 1;
	if (rounds > 0) // once more: keys are gone over several times
		pthread_setspecific(key, (void *)rounds);
}
static void make() { pthread_key_create(&key, at_end); }

static void *ends(void *p)
{
	pthread_once(&once, make);
	local.n = 4;
	pthread_setspecific(key, (void *)3l);
	call(2);
	switch ((long)p % 4) {
	case 1: pthread_exit(p);
	case 2: for (;;) { call(1); usleep(1000); }
	case 3: try { call(1); throw 5; } catch (int) { call(1); }
	}
	return p;
}

static Local global;

int main(int argc, char **argv)
{
	for (long i = 0; i < 200; i++) {
		pthread_t t;
		pthread_create(&t, 0, ends, (void *)i);
		if (i % 4 == 2) {
			usleep(500);
			pthread_cancel(t);
		}
		pthread_join(t, 0);
	}
	std::vector<std::thread> v;
	for (int i = 0; i < 8; i++)
		v.emplace_back([] { local.n = 2; call(5); });
	for (auto &t : v)
		t.join();
	local.n = 6;
	atexit([] { call(1); });
	// what is still to come: atexit 1, the first thread's 6, the program's 3
	printf("wrong %ld\n", (long)wrong);
	fprintf(stderr, "work %ld tick %ld\n", works + 1 + 6 + 3, (long)ticks);
	if (argc > 1)
		pthread_exit(0); // the last thread's end: the same, by another way
	return 0;
}
