# The first byte that must not be jumped to is the one after the start.
f:	push %rbx
1:	mov %rdi, %rbx
	mov (%rbx), %rdi
	test %rdi, %rdi
	jne 1b
	pop %rbx
	ret
