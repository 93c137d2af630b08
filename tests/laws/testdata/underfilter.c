/* underfilter kill|errno PROGRAM ARGS...: starts a program under a filter of system
 * calls that a watcher could make and simple programs do not. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define DENY(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), BPF_STMT(BPF_RET | BPF_K, other)

int main(int argc, char **argv)
{
	unsigned other = strcmp(argv[1], "kill") ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(SYS_memfd_create), DENY(SYS_socket), DENY(SYS_prctl), DENY(SYS_membarrier), DENY(SYS_process_vm_readv),
		DENY(SYS_gettid), DENY(SYS_open), DENY(SYS_stat), DENY(SYS_ftruncate), DENY(SYS_clone), DENY(SYS_getpid),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { sizeof code / sizeof *code, code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0))
		return 90;
	execv(argv[2], argv + 2);
	return 91;
}
