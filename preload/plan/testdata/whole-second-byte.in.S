# A jump to the second byte: all of it moves.
f:	push %rbx
1:	mov %rdi, %rbx
	mov (%rbx), %rdi
	test %rdi, %rdi
	jne 1b
	pop %rbx
	ret
