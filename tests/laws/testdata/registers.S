/* void call_with(struct regs *in, void *fn, struct regs *out): load every
 * register from in, call fn, store every register to out.
 * struct regs: rax rbx rcx rdx rsi rdi rbp r8-r15 at 0..112, flags at 120, rsp at 128, xsave area at 192.
 * long spill(): store every register it was called with to seen, load rax, rdx and
 * the vectors from give, change nothing else. */
	.text
	.globl call_with
	.type call_with, @function
call_with:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	sub $40, %rsp
	mov %rdx, 0(%rsp)
	mov %rsi, 8(%rsp)
	mov %rdi, %r15
	mov $-1, %eax
	mov $-1, %edx
	xrstor64 192(%r15)
	mov 0(%r15), %rax
	mov 8(%r15), %rbx
	mov 16(%r15), %rcx
	mov 24(%r15), %rdx
	mov 32(%r15), %rsi
	mov 40(%r15), %rdi
	mov 48(%r15), %rbp
	mov 56(%r15), %r8
	mov 64(%r15), %r9
	mov 72(%r15), %r10
	mov 80(%r15), %r11
	mov 88(%r15), %r12
	mov 96(%r15), %r13
	mov 104(%r15), %r14
	mov 112(%r15), %r15
	call *8(%rsp)
	mov %r15, 16(%rsp)
	mov 0(%rsp), %r15
	mov %rax, 0(%r15)
	mov %rbx, 8(%r15)
	mov %rcx, 16(%r15)
	mov %rdx, 24(%r15)
	mov %rsi, 32(%r15)
	mov %rdi, 40(%r15)
	mov %rbp, 48(%r15)
	mov %r8, 56(%r15)
	mov %r9, 64(%r15)
	mov %r10, 72(%r15)
	mov %r11, 80(%r15)
	mov %r12, 88(%r15)
	mov %r13, 96(%r15)
	mov %r14, 104(%r15)
	mov 16(%rsp), %rax
	mov %rax, 112(%r15)
	pushfq
	popq 120(%r15)
	mov $-1, %eax
	mov $-1, %edx
	xsave64 192(%r15)
	cld
	add $40, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
	.size call_with, .-call_with

	.globl spill
	.type spill, @function
spill:
	nopl 0(%rax)
	nopl 0(%rax)
	push %r15
	mov seen@GOTPCREL(%rip), %r15
	mov (%r15), %r15
	mov %rax, 0(%r15)
	mov %rbx, 8(%r15)
	mov %rcx, 16(%r15)
	mov %rdx, 24(%r15)
	mov %rsi, 32(%r15)
	mov %rdi, 40(%r15)
	mov %rbp, 48(%r15)
	mov %r8, 56(%r15)
	mov %r9, 64(%r15)
	mov %r10, 72(%r15)
	mov %r11, 80(%r15)
	mov %r12, 88(%r15)
	mov %r13, 96(%r15)
	mov %r14, 104(%r15)
	mov (%rsp), %rax
	mov %rax, 112(%r15)
	pushfq
	popq 120(%r15)
	mov %rsp, 128(%r15)
	mov $-1, %eax
	mov $-1, %edx
	xsave64 192(%r15)
	mov give@GOTPCREL(%rip), %r15
	mov (%r15), %r15
	mov $-1, %eax
	mov $-1, %edx
	xrstor64 192(%r15)
	mov 0(%r15), %rax
	mov 24(%r15), %rdx
	pop %r15
	ret
	.size spill, .-spill
	.section .note.GNU-stack,"",@progbits
