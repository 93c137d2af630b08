/* Functions whose first bytes are hard to move. Each takes a number in rdi. */
	.macro fn name
	.text
	.balign 16
	.globl \name
	.type \name, @function
\name:
	.endm
	.macro end name
	.size \name, .-\name
	.endm

	fn early_rip                    /* operand relative to rip in the first instruction */
	mov table(%rip), %rax
	add %rdi, %rax
	ret
	end early_rip

	fn early_lea
	lea table(%rip), %rax
	mov 8(%rax), %rax
	sub %rdi, %rax
	ret
	end early_lea

	fn early_branch                 /* a short branch in the first bytes */
	test %edi, %edi
	je 1f
	lea 7(%rdi), %rax
	ret
1:	mov $-7, %rax
	ret
	end early_branch

	fn early_jump                   /* a short jump as the first instruction */
	jmp 1f
	nop
	nop
	nop
1:	lea 11(%rdi), %rax
	ret
	end early_jump

	fn with_endbr
	endbr64
	push %rbp
	mov %rsp, %rbp
	lea 13(%rdi), %rax
	pop %rbp
	ret
	end with_endbr

	fn tail_call                    /* nothing but a jump to another function */
	jmp early_rip
	end tail_call

	fn tail_endbr
	endbr64
	jmp early_branch
	end tail_endbr

	fn early_call                   /* its return address would lie elsewhere */
	call 1f
1:	pop %rax
	lea 1b(%rip), %rdx
	cmp %rax, %rdx
	mov $0, %eax
	jne 2f
	lea 17(%rdi), %rax
2:	ret
	end early_call

	fn loop_to_start                /* a branch back to its own first byte */
	dec %rdi
	cmp $100, %rdi
	jg loop_to_start
	mov %rdi, %rax
	ret
	end loop_to_start

	fn loop_into_start              /* a branch back into its first bytes */
	xor %eax, %eax
1:	inc %rax
	dec %rdi
	jg 1b
	ret
	end loop_into_start

	fn too_short
	mov %edi, %eax
	ret
	end too_short

	fn early_jrcxz
	mov %rdi, %rcx
	jrcxz 1f
	lea 19(%rdi), %rax
	ret
1:	mov $19, %eax
	ret
	end early_jrcxz

	fn red_zone                     /* a leaf that keeps data below the stack pointer */
	mov %rdi, -8(%rsp)
	mov %rdi, -128(%rsp)
	addq $3, -128(%rsp)
	mov -8(%rsp), %rax
	add -128(%rsp), %rax
	ret
	end red_zone

	fn reads_return_address
	mov (%rsp), %rax
	movzbl (%rax), %eax             /* a byte of the code we go back to */
	sub %rax, %rax
	lea 23(%rax,%rdi), %rax
	ret
	end reads_return_address

	fn pushes_first
	push %rbx
	push %r12
	push %r13
	mov %rdi, %rbx
	lea 29(%rbx), %rax
	pop %r13
	pop %r12
	pop %rbx
	ret
	end pushes_first

	fn sets_flags                   /* the result is a flag */
	cmp $50, %rdi
	setg %al
	movzbl %al, %eax
	ret
	end sets_flags

	.data
	.balign 8
table:	.quad 1000, 2000
	.section .note.GNU-stack,"",@progbits
