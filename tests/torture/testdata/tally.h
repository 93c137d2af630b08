/* The file that a program of these tests shares with its test: what the program
 * did, counted by itself, one word per thread so that counting needs no lock and
 * a kill at any instruction leaves each word right to within the call under way. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TALLY_SLOTS 512

struct tally {
	_Atomic uint64_t pid;      /* of the first process */
	_Atomic uint64_t slots;    /* given away */
	_Atomic uint64_t word[62]; /* what the program says they mean */
	struct { /* 64 bytes: no two threads write to one line */
		volatile uint64_t before[3], after[3]; /* calls begun, calls that returned: of three functions */
		volatile uint64_t pid, pad;
	} slot[TALLY_SLOTS];
};

static struct tally *tally;

static void tally_open(const char *path)
{
	int fd = open(path, O_RDWR);
	tally = mmap(0, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (tally == MAP_FAILED)
		_exit(99);
	close(fd);
	tally->pid = getpid();
}

static inline unsigned tally_slot(void)
{
	unsigned i = tally->slots++;
	if (i >= TALLY_SLOTS)
		_exit(98);
	tally->slot[i].pid = getpid();
	return i;
}
