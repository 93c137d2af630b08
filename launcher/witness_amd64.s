#include "textflag.h"

// func startWitness(page, stack uintptr) int
//
// Called with all signals blocked, which the new process inherits. It shares our
// memory and nothing else, and runs only what is below: no Go, no stack of Go's.
//
//	R12 the page it shares with us (witness.go)   R13 the signal that came
//	SP  struct timespec, sigset, struct timespec
TEXT ·startWitness(SB),NOSPLIT|NOFRAME,$0-24
	MOVQ	page+0(FP), R12
	MOVQ	stack+8(FP), SI
	MOVL	$56, AX			// clone(CLONE_VM, stack), no signal at its end
	MOVL	$0x100, DI
	XORL	DX, DX
	XORL	R10, R10
	XORL	R8, R8
	SYSCALL
	TESTQ	AX, AX
	JEQ	witness
	MOVQ	AX, ret+16(FP)
	RET

witness:
	MOVL	$436, AX		// close_range(0, ~0, 0): it must hold no pipe open
	XORL	DI, DI
	MOVL	$0xffffffff, SI
	XORL	DX, DX
	SYSCALL
	SUBQ	$64, SP
wait:
	MOVQ	$1, 0(SP)
	MOVQ	$0, 8(SP)
	MOVQ	$-1, 16(SP)
	MOVL	$128, AX		// rt_sigtimedwait(all, NULL, 1 s, 8)
	LEAQ	16(SP), DI
	XORL	SI, SI
	MOVQ	SP, DX
	MOVL	$8, R10
	SYSCALL
	CMPQ	AX, $1
	JLT	nothing
	MOVQ	AX, R13
	MOVL	$228, AX		// clock_gettime(CLOCK_MONOTONIC)
	MOVL	$1, DI
	LEAQ	24(SP), SI
	SYSCALL
	MOVQ	24(SP), CX
	IMULQ	$1000000000, CX
	ADDQ	32(SP), CX
	MOVQ	CX, (R12)(R13*8)
	LOCK
	INCQ	1024(R12)(R13*8)
	JMP	wait
nothing:
	MOVL	$110, AX		// getppid: are we needed?
	SYSCALL
	CMPQ	AX, 0(R12)
	JEQ	wait
	MOVL	$60, AX			// exit(0)
	XORL	DI, DI
	SYSCALL
	JMP	nothing
