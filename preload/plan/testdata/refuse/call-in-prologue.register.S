f:	push %rbx
	call *8(%rax)
	pop %rbx
	ret
