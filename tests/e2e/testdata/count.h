// A page of a file that the program shares with its test: what it did, counted by
// itself, readable however it ended.
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct tally {
	_Atomic uint64_t pid;     // of the process that counts
	_Atomic uint64_t calls;   // that have returned, of all processes and threads
	_Atomic uint64_t other;   // what the program says it means
	_Atomic uint64_t started; // processes that have begun
	_Atomic uint64_t ended;   // processes that have done all they should
};

static struct tally *tally_open(const char *path)
{
	int fd = open(path, O_RDWR);
	struct tally *t = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t == MAP_FAILED)
		_exit(99);
	close(fd);
	t->pid = getpid();
	return t;
}
