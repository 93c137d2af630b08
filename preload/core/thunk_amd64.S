/* thunk_amd64.S: from a patched function to C and back.
 *
 *   function:     jmp thunk[slot]            written over its first 5 bytes
 *   thunk[slot]:  r11 aside, mov $slot, %r11d: the trampoline takes it back
 *                 jmp common_{full,entry,count}
 *   common_full:  frame ─► seam_enter ─► call trampoline ─► seam_leave ─► ret
 *                                 └► 0: put everything back, jmp trampoline
 *   common_entry: frame ─► seam_enter_only ─► put everything back, jmp trampoline
 *   common_count: one increment, jmp trampoline
 *   trampoline:   the function's displaced instructions, jmp function+n
 *
 * The frame is an ordinary one with CFI: unwinders, exceptions, longjmp and
 * cancellation pass through it like through any C function. No return address
 * is replaced, so shadow stacks agree.
 *
 * Vector registers are never touched: everything called here is compiled for
 * general registers only; the rare path that needs libc saves them (vectors.h).
 */
#include "frame.h"

	.text
	.macro	thunks name, common
	.balign	64
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
	.cfi_startproc
	.set	.Lslot_\name, 0
	.rept	SEAM_MAX_SLOTS
	.balign	16
	movq	%r11, THUNK_R11(%rsp)
	movl	$.Lslot_\name, %r11d
	jmp	\common
	.set	.Lslot_\name, .Lslot_\name + SIZEOF_RUN
	.endr
	.cfi_endproc
	.size	\name, .-\name
	.endm

	thunks	seam_thunks_full, common_full
	thunks	seam_thunks_entry, common_entry
	thunks	seam_thunks_count, common_count

	.macro	enter_frame
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq	$FRAME_SIZE, %rsp
	.endm

	/* What the original does not write, its caller may know it does not write
	 * (gcc -fipa-ra, within one file): all of it stays as the original left it. */
	.macro	save_left
	movq	%rcx, FRAME_LEFT+0(%rsp)
	movq	%rsi, FRAME_LEFT+8(%rsp)
	movq	%rdi, FRAME_LEFT+16(%rsp)
	movq	%r8,  FRAME_LEFT+24(%rsp)
	movq	%r9,  FRAME_LEFT+32(%rsp)
	movq	%r10, FRAME_LEFT+40(%rsp)
	movq	%r11, FRAME_LEFT+48(%rsp)
	.endm
	.macro	restore_left
	movq	FRAME_LEFT+0(%rsp), %rcx
	movq	FRAME_LEFT+8(%rsp), %rsi
	movq	FRAME_LEFT+16(%rsp), %rdi
	movq	FRAME_LEFT+24(%rsp), %r8
	movq	FRAME_LEFT+32(%rsp), %r9
	movq	FRAME_LEFT+40(%rsp), %r10
	movq	FRAME_LEFT+48(%rsp), %r11
	.endm

	.macro	save_args
	movq	%rdi, FRAME_WORDS+0(%rsp)
	movq	%rsi, FRAME_WORDS+8(%rsp)
	movq	%rdx, FRAME_WORDS+16(%rsp)
	movq	%rcx, FRAME_WORDS+24(%rsp)
	movq	%r8,  FRAME_WORDS+32(%rsp)
	movq	%r9,  FRAME_WORDS+40(%rsp)
	movq	%rax, FRAME_RAX(%rsp)
	movq	%r10, FRAME_R10(%rsp)
	movq	%r11, FRAME_RUN(%rsp)
	movq	%rsp, %rdi
	.endm

	/* base: register that points at the frame */
	.macro	restore_args base
	movq	FRAME_WORDS+0(\base), %rdi
	movq	FRAME_WORDS+8(\base), %rsi
	movq	FRAME_WORDS+16(\base), %rdx
	movq	FRAME_WORDS+24(\base), %rcx
	movq	FRAME_WORDS+32(\base), %r8
	movq	FRAME_WORDS+40(\base), %r9
	movq	FRAME_R10(\base), %r10
	.endm

	/* The plain case - no filter, nothing behind pointers, room in the chunk - is
	 * here; the same in C is seam_enter and seam_leave (enter.c), where all other
	 * cases go. Six argument registers stay where they are, and are written
	 * straight into the record: rax, rcx, rdx and r10 are put aside to work with. */
	.balign	64
	.type	common_full, @function
common_full:
	addq	seam_runs(%rip), %r11
	cmpb	$0, RUN_SPECIAL(%r11)
	jne	.Lspecial
	enter_frame
.Lrecord:
	movq	%rax, FRAME_RAX(%rsp)
	movq	%r10, FRAME_R10(%rsp)
	movq	%r11, FRAME_RUN(%rsp)
	movq	seam_tls@gottpoff(%rip), %r10
	/* guarded before anything is looked at: a signal handler that comes in
	 * between would record, too, and move the position. In one instruction: it
	 * may switch to another coroutine of this thread */
	xorl	%eax, %eax
	cmpxchgq %rsp, %fs:TLS_GUARD(%r10)
	jne	.Lslow
.Lguarded:
	movq	seam_alive(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_GEN(%r10), %eax
	jne	.Lunguard
	movq	seam_epoch(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_EPOCH(%r10), %eax
	jne	.Lunguard
	movl	RUN_NEED(%r11), %eax
	addq	%fs:TLS_POS(%r10), %rax
	cmpq	%fs:TLS_END(%r10), %rax
	ja	.Lunguard
	movq	%fs:TLS_POS(%r10), %r10
	movq	%rdi, 16(%r10)
	movq	%rsi, 24(%r10)
	movq	%rdx, 32(%r10)
	movq	%rcx, 40(%r10)
	movq	%r8, 48(%r10)
	movq	%r9, 56(%r10)
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, 8(%r10)
	movq	seam_tls@gottpoff(%rip), %rcx
	movl	%fs:TLS_SEQ(%rcx), %eax
	incl	%eax
	movl	%eax, %fs:TLS_SEQ(%rcx)
	movl	%eax, FRAME_SEQ(%rsp)
	shlq	$32, %rax
	movl	RUN_HEAD(%r11), %edx
	orq	%rdx, %rax
	movq	%rax, (%r10)
	movl	RUN_SIZE(%r11), %edx
	addq	%r10, %rdx
	movq	%rdx, %fs:TLS_POS(%rcx)
	subq	%fs:TLS_BASE(%rcx), %rdx
	movq	%fs:TLS_CHUNK(%rcx), %rax
	movl	%edx, CHUNK_COMMITTED(%rax)
	movq	32(%r10), %rdx	/* while the guard is ours: a handler's record may lie there, if ours has less than six words */
	movq	40(%r10), %rax
	movq	$0, %fs:TLS_GUARD(%rcx)
	movq	%rax, %rcx
	movq	FRAME_R11(%rsp), %rax
	movq	%rax, THUNK_R11-8(%rsp)	/* where the trampoline, after the call, looks for it */
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_RAX(%rsp), %rax
.Lcall:	call	*RUN_ORIG(%r11)

	/* rax and rdx are the result; what else is used is as the original left it */
	movq	%rcx, FRAME_LEFT+0(%rsp)
	movq	%r10, FRAME_LEFT+40(%rsp)
	movq	%r11, FRAME_LEFT+48(%rsp)
	movq	%rax, FRAME_RET(%rsp)
	movq	%rdx, FRAME_RDX(%rsp)
	movq	FRAME_RUN(%rsp), %r11
	movq	seam_tls@gottpoff(%rip), %r10
	testb	$SP_STACK, RUN_SPECIAL(%r11)	/* callbacks; or set meanwhile: no rdtsc any more */
	jnz	.Lspecial_leave
	xorl	%eax, %eax
	cmpxchgq %rsp, %fs:TLS_GUARD(%r10)
	jne	.Lslow_leave
	movq	seam_alive(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_GEN(%r10), %eax
	jne	.Lunguard_leave
	movq	%fs:TLS_POS(%r10), %rcx
	leaq	LEAVE_SIZE(%rcx), %rax
	cmpq	%fs:TLS_END(%r10), %rax
	ja	.Lunguard_leave
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
.Lstamped:
	movq	%rax, 8(%rcx)
	movq	FRAME_RET(%rsp), %rax
	movq	%rax, 16(%rcx)
	movslq	%eax, %rdx
	cmpb	$0, RUN_RET4(%r11)
	cmove	%rax, %rdx
	subq	RUN_FAIL_LO(%r11), %rdx
	movq	seam_errno_off(%rip), %rax
	movl	%fs:(%rax), %eax
	movq	%rax, 24(%rcx)
	xorl	%eax, %eax
	cmpq	%rdx, RUN_FAIL_SPAN(%r11)
	setae	%al
	xorb	RUN_FAIL_NOT(%r11), %al
	negl	%eax
	andl	$REC_FAILED, %eax
	orl	RUN_HEAD_LATE(%r11), %eax
	movl	FRAME_SEQ(%rsp), %edx
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, (%rcx)
	addq	$LEAVE_SIZE, %rcx
	movq	%rcx, %fs:TLS_POS(%r10)
	subq	%fs:TLS_BASE(%r10), %rcx
	movq	%fs:TLS_CHUNK(%r10), %rax
	movl	%ecx, CHUNK_COMMITTED(%rax)
	movq	$0, %fs:TLS_GUARD(%r10)
	movq	FRAME_RET(%rsp), %rax
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_LEFT+0(%rsp), %rcx
	movq	FRAME_LEFT+40(%rsp), %r10
	movq	FRAME_LEFT+48(%rsp), %r11
	.cfi_remember_state
	leave
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_restore_state

	/* C decides. The frame is there; nothing has been changed. */
.Lunguard:
	movq	$0, %fs:TLS_GUARD(%r10)
.Lslow:
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_R10(%rsp), %r10
.Lsave:	save_args
	call	seam_enter
.Lentered:
	testl	%eax, %eax
	jz	1f
	cmpl	$CALL_PLAIN, %eax
	je	5f
	movq	FRAME_NCOPY(%rsp), %rcx
	testq	%rcx, %rcx
	jnz	3f
	movq	FRAME_R11(%rsp), %rax
	movq	%rax, THUNK_R11-8(%rsp)
	restore_args %rsp
	movq	FRAME_RAX(%rsp), %rax
	call	*FRAME_ORIG(%rsp)
2:	save_left
.Lleave:
	movq	%rax, FRAME_RET(%rsp)
	movq	%rdx, FRAME_RDX(%rsp)
.Lleft:	movq	%rsp, %rdi
	call	seam_leave
.Ldone:	movq	FRAME_RET(%rsp), %rax
	movq	FRAME_RDX(%rsp), %rdx
	restore_left
	.cfi_remember_state
	leave
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_restore_state
	/* Callbacks after the call. C calls them, and the rest of it is here unless they changed something. */
.Lspecial_leave:
	testb	$FAST_POST, RUN_FAST(%r11)
	jz	.Lslow_leave
	cmpl	$0, seam_use_tsc(%rip)
	je	.Lslow_leave
	xorl	%eax, %eax
	cmpxchgq %rsp, %fs:TLS_GUARD(%r10)
	jne	.Lslow_leave
	movq	seam_alive(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_GEN(%r10), %eax
	jne	.Lunguard_leave
	movq	%rsi, FRAME_LEFT+8(%rsp)
	movq	%rdi, FRAME_LEFT+16(%rsp)
	movq	%r8,  FRAME_LEFT+24(%rsp)
	movq	%r9,  FRAME_LEFT+32(%rsp)
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, FRAME_TS(%rsp)
	movq	%rsp, %rdi
	call	seam_after_native
	testl	%eax, %eax
	jnz	.Ldone
	movq	FRAME_LEFT+8(%rsp), %rsi
	movq	FRAME_LEFT+16(%rsp), %rdi
	movq	FRAME_LEFT+24(%rsp), %r8
	movq	FRAME_LEFT+32(%rsp), %r9
	movq	FRAME_RUN(%rsp), %r11
	movq	seam_tls@gottpoff(%rip), %r10
	movq	%fs:TLS_POS(%r10), %rcx
	movq	FRAME_TS(%rsp), %rax
	jmp	.Lstamped
.Lunguard_leave:
	movq	$0, %fs:TLS_GUARD(%r10)
.Lslow_leave:
	movl	$HOW_RECORDED, FRAME_HOW(%rsp)
.Lleave_c:
	movq	%rsi, FRAME_LEFT+8(%rsp)
	movq	%rdi, FRAME_LEFT+16(%rsp)
	movq	%r8,  FRAME_LEFT+24(%rsp)
	movq	%r9,  FRAME_LEFT+32(%rsp)
	jmp	.Lleft
	/* recorded, and nothing special about its return */
5:	movq	FRAME_R11(%rsp), %rax
	movq	%rax, THUNK_R11-8(%rsp)
	restore_args %rsp
	movq	FRAME_RUN(%rsp), %r11
	movq	FRAME_RAX(%rsp), %rax
	jmp	.Lcall
	/* not recorded: as if we had not been here */
1:	restore_args %rsp
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_ORIG(%rsp), %r11
	.cfi_remember_state
	leave
	.cfi_def_cfa %rsp, 8
	jmp	*%r11
	.cfi_restore_state
	/* copy rcx stack words below the frame, keeping 16-byte alignment */
3:	leaq	1(%rcx), %rax
	andq	$-2, %rax
	shlq	$3, %rax
	subq	%rax, %rsp
	xorl	%eax, %eax
4:	movq	16(%rbp,%rax,8), %rdx
	movq	%rdx, (%rsp,%rax,8)
	incq	%rax
	cmpq	%rcx, %rax
	jb	4b
	leaq	-FRAME_SIZE(%rbp), %r11
	movq	FRAME_R11(%r11), %rax
	movq	%rax, THUNK_R11-8(%rsp)
	restore_args %r11
	movq	FRAME_RAX(%r11), %rax
	call	*FRAME_ORIG(%r11)
	leaq	-FRAME_SIZE(%rbp), %rsp
	jmp	2b
	.cfi_endproc

	/* Something is special: C decides. If it is rules alone, first whether the call
	 * is one for them at all. */
.Lspecial:
	enter_frame
	cmpb	$SP_STRING, RUN_SPECIAL(%r11)
	je	.Lstring
	cmpb	$SP_LATE, RUN_SPECIAL(%r11)
	je	.Lhist
	cmpb	$0, RUN_FAST(%r11)
	jne	.Lnative
	cmpb	$SP_RULES, RUN_SPECIAL(%r11)
	jne	.Lsave
	save_args
	call	seam_act_idle
	testl	%eax, %eax
	restore_args %rsp
	movq	FRAME_RUN(%rsp), %r11
	movq	FRAME_RAX(%rsp), %rax
	jnz	.Lrecord
	jmp	.Lsave

	/* One string is read, the first or second argument, and nothing else is special: files,
	 * names. The same in C, for all other cases, is seam_enter_string; how a string can be
	 * read without faulting says read.c: `copying` is set, then what is known of pages must be
	 * of now. Words are copied as long as none has a byte that is 0, or, which is looked at
	 * more closely then, above 0x80. */
	.balign 64
.Lstring:
	movq	%rdx, FRAME_WORDS+16(%rsp)
	movq	%rcx, FRAME_WORDS+24(%rsp)
	movq	%rax, FRAME_RAX(%rsp)
	movq	%r10, FRAME_R10(%rsp)
	movq	%r11, FRAME_RUN(%rsp)
	movq	seam_tls@gottpoff(%rip), %r10
	xorl	%eax, %eax
	cmpxchgq %rsp, %fs:TLS_GUARD(%r10)
	jne	.Lstring_c
	movq	seam_alive(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_GEN(%r10), %eax
	jne	.Lstring_unguard
	movq	seam_epoch(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_EPOCH(%r10), %eax
	jne	.Lstring_unguard
	movl	RUN_NEED(%r11), %eax
	addq	%fs:TLS_POS(%r10), %rax
	cmpq	%fs:TLS_END(%r10), %rax
	ja	.Lstring_unguard
	movq	%rdi, %rcx
	cmpb	$1, RUN_STR_FAST(%r11)
	jne	.Lsecond
.Lfirst:
	movq	%fs:TLS_ENT(%r10), %rax
	movl	$1, THREAD_COPYING(%rax)
	movq	seam(%rip), %rax
	movq	CORE_MAPS(%rax), %rax
	cmpq	%fs:TLS_MAPS(%r10), %rax
	jne	.Lstring_uncopy
	movq	%rcx, %rdx
	shrq	$12, %rdx
	movl	%edx, %eax
	andl	$15, %eax
	cmpq	%fs:TLS_PAGES(%r10,%rax,8), %rdx
	jne	.Lstring_uncopy
	movl	%ecx, %eax
	andl	$4095, %eax
	cmpl	$4096-FAST_STRING, %eax
	ja	.Lstring_uncopy
	movq	%fs:TLS_POS(%r10), %r10
	movq	%rdi, 16(%r10)
	movq	%rsi, 24(%r10)
	cmpb	$2, RUN_NREGS(%r11)
	ja	.Lwords
.Lworded:
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, 8(%r10)
	movl	RUN_SIZE(%r11), %eax
	leaq	4(%r10,%rax), %r10
	.irp	k, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movq	8*\k(%rcx), %rax
	movq	%rax, 8*\k(%r10)
	addq	.Lminus01(%rip), %rax
	testq	%rax, .Ltops(%rip)
	jnz	.Lend\k
	.endr
	/* it is longer */
.Lstring_long:
	movq	seam_tls@gottpoff(%rip), %r10
.Lstring_uncopy:
	movq	%fs:TLS_ENT(%r10), %rax
	movl	$0, THREAD_COPYING(%rax)
.Lstring_unguard:
	movq	$0, %fs:TLS_GUARD(%r10)
.Lstring_c:
	movq	FRAME_WORDS+16(%rsp), %rdx
	movq	FRAME_WORDS+24(%rsp), %rcx
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_RUN(%rsp), %r11
	save_args
	call	seam_enter_string
	jmp	.Lentered
.Lsecond:
	movq	%rsi, %rcx
	jmp	.Lfirst
.Lwords:
	movq	FRAME_WORDS+16(%rsp), %rdx
	movq	FRAME_WORDS+24(%rsp), %rax
	movq	%rdx, 32(%r10)
	movq	%rax, 40(%r10)
	movq	%r8, 48(%r10)
	movq	%r9, 56(%r10)
	jmp	.Lworded

	.irp	k, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
.Lend\k:	movl	$8*\k, %edx
	jmp	.Lended
	.endr

	/* It may end in the word at rdx, which is copied. r10: the copy; rax: the word less 01...01 */
.Lended:
	movq	(%r10,%rdx), %rcx
	notq	%rcx
	andq	%rax, %rcx
	andq	.Ltops(%rip), %rcx	/* its lowest bit: of the first byte that is 0 */
	jz	.Lhigh
.Lzero:
	leaq	-1(%rcx), %rax
	xorq	%rcx, %rax
	andq	%rax, (%r10,%rdx)	/* nothing of what is behind the string may be told */
	movq	$0, 8(%r10,%rdx)
	bsfq	%rcx, %rcx
	shrl	$3, %ecx
	addl	%ecx, %edx		/* its length */
	movl	RUN_STR_ITEM(%r11), %eax
	orl	%edx, %eax
	movl	%eax, -4(%r10)
	leal	4+7(%rdx), %eax
	andl	$-8, %eax		/* bytes of payload */
	movl	%eax, %ecx
	shll	$24-3, %ecx
	addl	RUN_HEAD(%r11), %ecx
	addl	$REC_PAYLOAD, %ecx
	leaq	-4(%r10,%rax), %rax	/* behind the record */
	movq	seam_tls@gottpoff(%rip), %r10
	movl	%fs:TLS_SEQ(%r10), %edx
	incl	%edx
	movl	%edx, %fs:TLS_SEQ(%r10)
	movl	%edx, FRAME_SEQ(%rsp)
	shlq	$32, %rdx
	orq	%rdx, %rcx
	movq	%fs:TLS_POS(%r10), %rdx
	movq	%rcx, (%rdx)
	movq	%rax, %fs:TLS_POS(%r10)
	subq	%fs:TLS_BASE(%r10), %rax
	movq	%fs:TLS_CHUNK(%r10), %rdx
	movl	%eax, CHUNK_COMMITTED(%rdx)
	movq	%fs:TLS_ENT(%r10), %rdx
	movl	$0, THREAD_COPYING(%rdx)
	movq	$0, %fs:TLS_GUARD(%r10)
	movq	FRAME_WORDS+16(%rsp), %rdx
	movq	FRAME_WORDS+24(%rsp), %rcx
	movq	FRAME_R11(%rsp), %rax
	movq	%rax, THUNK_R11-8(%rsp)
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_RAX(%rsp), %rax
	jmp	.Lcall

	/* It does not: not all of it is ASCII. On with a closer look at each word. */
.Lhigh:
	movq	%rdi, %rcx
	cmpb	$1, RUN_STR_FAST(%r11)
	cmovneq	%rsi, %rcx
1:	addl	$8, %edx
	cmpl	$FAST_STRING, %edx
	jae	.Lstring_long
	movq	(%rcx,%rdx), %rax
	movq	%rax, (%r10,%rdx)
	movq	%rax, %r11
	notq	%r11
	addq	.Lminus01(%rip), %rax
	andq	%r11, %rax
	movq	FRAME_RUN(%rsp), %r11
	andq	.Ltops(%rip), %rax
	jz	1b
	movq	%rax, %rcx
	jmp	.Lzero

	/* The time between is counted, in this thread's own histogram: nothing else is special. There is
	 * nothing to guard: whatever a signal handler may find is one instruction, and is done or not. But a
	 * call that is made within seam is not counted, so the guard must be free. */
.Lhist:
	movq	%rax, FRAME_RAX(%rsp)
	movq	%rdx, FRAME_RDX(%rsp)
	movq	%r10, FRAME_R10(%rsp)
	movq	%r11, FRAME_RUN(%rsp)
	movq	seam_tls@gottpoff(%rip), %r10
	cmpq	$0, %fs:TLS_GUARD(%r10)
	jne	.Lhist_c
	movq	seam_alive(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_GEN(%r10), %eax
	jne	.Lhist_c
	movq	seam_epoch(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_EPOCH(%r10), %eax
	jne	.Lhist_c
	cmpq	$0, %fs:TLS_HISTS(%r10)
	je	.Lhist_c
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, FRAME_TS(%rsp)
	movq	FRAME_R11(%rsp), %rax
	movq	%rax, THUNK_R11-8(%rsp)
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_RAX(%rsp), %rax
	call	*RUN_ORIG(%r11)

	movq	%rcx, FRAME_LEFT+0(%rsp)
	movq	%r10, FRAME_LEFT+40(%rsp)
	movq	%r11, FRAME_LEFT+48(%rsp)
	movq	%rax, FRAME_RET(%rsp)
	movq	%rdx, FRAME_RDX(%rsp)
	movq	FRAME_RUN(%rsp), %r11
	movq	seam_tls@gottpoff(%rip), %r10
	testb	$SP_STACK, RUN_SPECIAL(%r11)
	jnz	.Lhist_leave_c
	cmpq	$0, %fs:TLS_GUARD(%r10)
	jne	.Lhist_leave_c
	movq	seam_alive(%rip), %rax
	movl	(%rax), %eax
	cmpl	%fs:TLS_GEN(%r10), %eax
	jne	.Lhist_leave_c
	cmpq	$0, %fs:TLS_HISTS(%r10)	/* there was one: but this may be a child of the process that entered */
	je	.Lhist_leave_c
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	subq	FRAME_TS(%rsp), %rax
	movl	RUN_HIST(%r11), %ecx
	shlq	$HIST_SHIFT, %rcx
	addq	%fs:TLS_HISTS(%r10), %rcx
	movq	%rcx, %r10
	/* the bucket: bucket() in enter.c */
	movq	%rax, %rdx
	cmpq	$4, %rax
	jb	1f
	bsrq	%rax, %rcx
	subl	$2, %ecx
	shrq	%cl, %rdx
	leaq	(%rdx,%rcx,4), %rdx
1:	incq	(%r10,%rdx,8)
	incq	HIST_COUNT(%r10)
	addq	%rax, HIST_SUM(%r10)
	cmpq	HIST_MAX(%r10), %rax
	ja	.Lhist_max
.Lhist_maxed:
	movq	FRAME_RET(%rsp), %rax
	movslq	%eax, %rdx
	cmpb	$0, RUN_RET4(%r11)
	cmove	%rax, %rdx
	subq	RUN_FAIL_LO(%r11), %rdx
	xorl	%ecx, %ecx
	cmpq	%rdx, RUN_FAIL_SPAN(%r11)
	setae	%cl
	xorb	RUN_FAIL_NOT(%r11), %cl
	jnz	.Lhist_failed
.Lhist_done:
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_LEFT+0(%rsp), %rcx
	movq	FRAME_LEFT+40(%rsp), %r10
	movq	FRAME_LEFT+48(%rsp), %r11
	.cfi_remember_state
	leave
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_restore_state
.Lhist_failed:
	incq	HIST_ERRORS(%r10)
	jmp	.Lhist_done
.Lhist_max:
	movq	%rax, %rdx
	movq	HIST_MAX(%r10), %rax
2:	cmpq	%rax, %rdx
	jbe	.Lhist_maxed
	cmpxchgq %rdx, HIST_MAX(%r10)	/* a handler may have a longer one */
	jne	2b
	jmp	.Lhist_maxed
.Lhist_c:
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_R10(%rsp), %r10
	jmp	.Lsave
.Lhist_leave_c:
	movl	$HOW_LATE, FRAME_HOW(%rsp)
	jmp	.Lleave_c

.Lnative:
	save_args
	testb	$FAST_PRE, RUN_FAST(%r11)
	jz	.Lno_pre
.Lnative_c:
	call	seam_enter_native
	cmpl	$CALL_GUARDED, %eax
	jne	6f
	restore_args %rsp
	movq	FRAME_RUN(%rsp), %r11
	movq	FRAME_RAX(%rsp), %rax
	movq	seam_tls@gottpoff(%rip), %r10
	jmp	.Lguarded
6:	cmpl	$CALL_RECORD, %eax
	jne	.Lentered
	restore_args %rsp
	movq	FRAME_RUN(%rsp), %r11
	movq	FRAME_RAX(%rsp), %rax
	jmp	.Lrecord
	/* None before the call: what seam_enter_native would do is done. */
.Lno_pre:
	testb	$SP_WATCH, RUN_SPECIAL(%r11)
	jnz	.Lnative_c		/* silenced: it is to see the kind */
	cmpl	$0, seam_use_tsc(%rip)
	je	.Lnative_c
	movq	FRAME_WORDS+0(%rsp), %rdi
	movq	$0, FRAME_DATA(%rsp)
	movq	$1, FRAME_WAIT(%rsp)
	jmp	.Lrecord
	.cfi_endproc
	.size	common_full, .-common_full

	.balign	64
	.type	common_entry, @function
common_entry:
	addq	seam_runs(%rip), %r11
	enter_frame
	save_args
	call	seam_enter_only
	restore_args %rsp
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_ORIG(%rsp), %r11
	leave
	.cfi_def_cfa %rsp, 8
	jmp	*%r11
	.cfi_endproc
	.size	common_entry, .-common_entry

	/* Also what a sieve keeps out (sieve.c).
	 * A counter of this thread's own, if it has one that is valid in this
	 * process: one plain increment. Else C finds one, or adds atomically. */
	.balign	64
	.type	common_count, @function
common_count:
	.cfi_startproc
	addq	seam_runs(%rip), %r11
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	pushq	%rcx
	.cfi_adjust_cfa_offset 8
	movq	seam_alive(%rip), %rax
	movl	(%rax), %eax
	movq	seam_tls@gottpoff(%rip), %rcx
	cmpl	%eax, %fs:TLS_GEN(%rcx)
	jne	1f
	movq	seam_epoch(%rip), %rax
	movl	(%rax), %eax
	cmpl	%eax, %fs:TLS_EPOCH(%rcx)
	jne	1f
	testb	$SP_WATCH, RUN_SPECIAL(%r11)
	jnz	1f
	movq	%fs:TLS_COUNTERS(%rcx), %rcx
	testq	%rcx, %rcx
	jz	1f
	movzwl	RUN_ID(%r11), %eax
	incq	(%rcx,%rax,8)
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	popq	%rax
	.cfi_adjust_cfa_offset -8
	jmp	*RUN_ORIG(%r11)
	.cfi_adjust_cfa_offset 16
1:	popq	%rcx
	.cfi_adjust_cfa_offset -8
	popq	%rax
	.cfi_adjust_cfa_offset -8
	.cfi_endproc
	enter_frame
	save_args
	call	seam_count_slow
	restore_args %rsp
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_ORIG(%rsp), %r11
	leave
	.cfi_def_cfa %rsp, 8
	jmp	*%r11
	.cfi_endproc
	.size	common_count, .-common_count

	/* void seam_with_vectors(void (*fn)(void *), void *arg, void *stack): call fn
	 * on the stack that ends at `stack`; it may use vector and x87 registers, which are
	 * left as they were. The save area is on that stack, too: 11 KiB with AMX;
	 * cpuid is asked each time (this path is rare). */
	.balign	16
	.globl	seam_with_vectors
	.hidden	seam_with_vectors
	.type	seam_with_vectors, @function
seam_with_vectors:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq	%rbx
	.cfi_offset %rbx, -24
	pushq	%r12
	.cfi_offset %r12, -32
	pushq	%r13
	.cfi_offset %r13, -40
	pushq	%r14
	.cfi_offset %r14, -48
	movq	%rdi, %r12
	movq	%rsi, %r13
	movq	%rdx, %rsp
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	btl	$27, %ecx		/* OSXSAVE */
	jnc	2f
	movl	$0xd, %eax
	xorl	%ecx, %ecx
	cpuid				/* ebx: bytes for what the system enabled */
	movl	%ebx, %ebx
	subq	%rbx, %rsp
	andq	$-64, %rsp
	movq	$0, 512(%rsp)		/* the header must start as zeros */
	movq	$0, 520(%rsp)
	movq	$0, 528(%rsp)
	movq	$0, 536(%rsp)
	movq	$0, 544(%rsp)
	movq	$0, 552(%rsp)
	movq	$0, 560(%rsp)
	movq	$0, 568(%rsp)
	movl	$-1, %eax
	movl	$-1, %edx
	xsave64	(%rsp)
	movq	%rsp, %r14
	movq	%r13, %rdi
	cld
	call	*%r12
	movq	%r14, %rsp
	movl	$-1, %eax
	movl	$-1, %edx
	xrstor64 (%rsp)
	jmp	3f
2:	subq	$512, %rsp
	andq	$-64, %rsp
	fxsave64 (%rsp)
	movq	%rsp, %r14
	movq	%r13, %rdi
	call	*%r12
	movq	%r14, %rsp
	fxrstor64 (%rsp)
3:	leaq	-32(%rbp), %rsp
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size	seam_with_vectors, .-seam_with_vectors

	/* long seam_keep_sse(long (*fn)(long, void *), long a, void *b): fn(a, b), which
	 * may use xmm registers and no others of the vector kind (the vDSO), and leave them as they were. */
	.balign	16
	.globl	seam_keep_sse
	.hidden	seam_keep_sse
	.type	seam_keep_sse, @function
seam_keep_sse:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq	$256, %rsp
	andq	$-16, %rsp
	.set	.Li, 0
	.irp	r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movaps	%xmm\r, .Li(%rsp)
	.set	.Li, .Li + 16
	.endr
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	cld
	call	*%rax
	.set	.Li, 0
	.irp	r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movaps	.Li(%rsp), %xmm\r
	.set	.Li, .Li + 16
	.endr
	leave
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size	seam_keep_sse, .-seam_keep_sse

	/* Where a refused call goes instead of its trampoline, which it does the first
	 * instruction of. rax is what enter put into the frame. */
	.balign	16
	.globl	seam_refused
	.hidden	seam_refused
	.type	seam_refused, @function
seam_refused:
	.cfi_startproc
	movq	THUNK_R11(%rsp), %r11
	ret
	.cfi_endproc
	.size	seam_refused, .-seam_refused

	.section .rodata
	.balign	16
.Lminus01:
	.quad	-0x0101010101010101
.Ltops:	.quad	0x8080808080808080

	.section .note.GNU-stack,"",@progbits
