	push %rbx
1:	mov %rdi, %rbx
	mov (%rbx), %rdi
	test %rdi, %rdi
	.byte 0x0f, 0x85
	.long 1b - . - 4
	pop %rbx
	ret
