/* native_amd64.S: a callback that may use any register.
 *
 * The host's vector registers hold arguments before the original and results after
 * it, and a caller within one file may know of others that the function leaves them alone (gcc
 * -fipa-ra): all of them are kept. xsave would do, but costs ten calls. So:
 *
 *   upper halves of ymm0-15 and zmm0-15, and x87, are as at the start of a
 *   program, which xgetbv tells - most code leaves them so at a call:
 *        xmm0-15 are stored, and zmm16-31 and k0-7 where there are any; after the callback
 *        vzeroupper makes the upper halves what they were
 *   else, or where the processor can't tell: xsave
 *
 * What was seen to use xmm registers only, and to leave what is above 128 bits alone, needs neither question: those are
 * stored.
 *
 * Of the control bits a callback keeps mxcsr's and x87's itself, by the ABI; the flags of mxcsr are put back.
 */
	.section .data.seam,"aw",@progbits
	.balign	4
native_mode:	.long 0		/* MODE_* */
native_bits:	.long 0		/* what xsave saves: all but AMX and protection keys */

#define MODE_TELLS	1	/* xgetbv tells what is in use, and there is xsavec */
#define MODE_AVX	2
#define MODE_AVX512	4
#define MODE_XSAVE	8

#define XMM	0
#define ZMM	256
#define MASKS	1280
#define MXCSR	1344
#define FAST	1408
#define SLOW	2752		/* up to zmm16-31, in the layout that is the same everywhere */

	.text
	/* long seam_native_vectors(int (*fn)(void *), void *arg) */
	.balign	16
	.globl	seam_native_vectors
	.hidden	seam_native_vectors
	.type	seam_native_vectors, @function
seam_native_vectors:
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
	movl	native_mode(%rip), %ebx
	testl	$MODE_TELLS, %ebx
	jz	.Lall
	movl	$1, %ecx
	xgetbv
	testl	$0x45, %eax		/* x87, the upper halves of ymm, those of zmm */
	jnz	.Lall
	subq	$FAST, %rsp
	andq	$-64, %rsp
	.set	.Li, XMM
	.irp	r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movaps	%xmm\r, .Li(%rsp)
	.set	.Li, .Li + 16
	.endr
	stmxcsr	MXCSR(%rsp)
	testl	$MODE_AVX512, %ebx
	jz	1f
	.set	.Li, ZMM
	.irp	r, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovdqa64 %zmm\r, .Li(%rsp)
	.set	.Li, .Li + 64
	.endr
	.set	.Li, MASKS
	.irp	r, 0,1,2,3,4,5,6,7
	kmovq	%k\r, .Li(%rsp)
	.set	.Li, .Li + 8
	.endr
1:	movq	%rdi, %rax
	movq	%rsi, %rdi
	cld
	call	*%rax
	testl	$MODE_AVX, %ebx
	jz	2f
	vzeroupper
2:	.set	.Li, XMM
	.irp	r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movaps	.Li(%rsp), %xmm\r
	.set	.Li, .Li + 16
	.endr
	testl	$MODE_AVX512, %ebx
	jz	3f
	.set	.Li, ZMM
	.irp	r, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovdqa64 .Li(%rsp), %zmm\r
	.set	.Li, .Li + 64
	.endr
	.set	.Li, MASKS
	.irp	r, 0,1,2,3,4,5,6,7
	kmovq	.Li(%rsp), %k\r
	.set	.Li, .Li + 8
	.endr
3:	stmxcsr	MXCSR+4(%rsp)
	movl	MXCSR(%rsp), %ecx
	cmpl	MXCSR+4(%rsp), %ecx
	je	.Ldone
	ldmxcsr	MXCSR(%rsp)
.Ldone:	leaq	-16(%rbp), %rsp
	popq	%r12
	popq	%rbx
	.cfi_remember_state
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_restore_state

.Lall:	subq	$SLOW, %rsp
	andq	$-64, %rsp
	testl	$MODE_XSAVE, %ebx
	jz	.Lold
	xorl	%eax, %eax
	.set	.Li, 512
	.rept	8
	movq	%rax, .Li(%rsp)		/* the header must start as zeros */
	.set	.Li, .Li + 8
	.endr
	movl	native_bits(%rip), %eax
	xorl	%edx, %edx
	testl	$MODE_TELLS, %ebx
	jz	4f
	xsavec64 (%rsp)
	jmp	5f
4:	xsave64	(%rsp)
5:	emms				/* a callee finds the x87 stack empty; a long double may be on it */
	movq	%rdi, %rax
	movq	%rsi, %rdi
	cld
	call	*%rax
	movq	%rax, %r12
	movl	native_bits(%rip), %eax
	xorl	%edx, %edx
	xrstor64 (%rsp)
	movq	%r12, %rax
	jmp	.Ldone
.Lold:	fxsave64 (%rsp)
	emms
	movq	%rdi, %rax
	movq	%rsi, %rdi
	cld
	call	*%rax
	fxrstor64 (%rsp)
	jmp	.Ldone
	.cfi_endproc
	.size	seam_native_vectors, .-seam_native_vectors

	.macro	keep_xmm name, regs:vararg
	.balign	16
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq	$16*16+16, %rsp
	andq	$-16, %rsp
	stmxcsr	256(%rsp)
	.irp	r, \regs
	movaps	%xmm\r, 16*\r(%rsp)
	.endr
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	.irp	r, \regs
	movaps	16*\r(%rsp), %xmm\r
	.endr
	stmxcsr	260(%rsp)
	movl	256(%rsp), %ecx
	cmpl	260(%rsp), %ecx
	je	1f
	ldmxcsr	256(%rsp)
1:	leave
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size	\name, .-\name
	.endm

	/* long seam_native_few_xmm(int (*fn)(void *), void *arg), seam_native_any_xmm */
	keep_xmm seam_native_few_xmm, 0,1,2,3
	keep_xmm seam_native_any_xmm, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15

	/* void seam_native_modes(void) */
	.balign	16
	.globl	seam_native_modes
	.hidden	seam_native_modes
	.type	seam_native_modes, @function
seam_native_modes:
	.cfi_startproc
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset %rbx, -16
	xorl	%r8d, %r8d		/* mode */
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	btl	$27, %ecx		/* OSXSAVE */
	jnc	9f
	orl	$MODE_XSAVE, %r8d
	xorl	%ecx, %ecx
	xgetbv
	andl	$0xe7, %eax
	movl	%eax, native_bits(%rip)
	movl	%eax, %r9d
	testl	$4, %r9d
	jz	1f
	orl	$MODE_AVX, %r8d
1:	movl	$0xd, %eax
	movl	$1, %ecx
	cpuid
	notl	%eax
	testl	$6, %eax		/* xsavec, xgetbv with 1 */
	jnz	9f
	testl	$0xe0, %r9d
	jz	2f
	xorl	%eax, %eax
	cpuid
	cmpl	$7, %eax
	jb	9f
	movl	$7, %eax
	xorl	%ecx, %ecx
	cpuid
	btl	$30, %ebx		/* AVX512BW: masks of 64 bits */
	jnc	9f
	orl	$MODE_AVX512, %r8d
2:	orl	$MODE_TELLS, %r8d
9:	movl	%r8d, native_mode(%rip)
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size	seam_native_modes, .-seam_native_modes

	.section .note.GNU-stack,"",@progbits
