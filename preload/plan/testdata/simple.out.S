	push %rbp
	mov %rsp, %rbp
	push %r15
	jmp f+6
