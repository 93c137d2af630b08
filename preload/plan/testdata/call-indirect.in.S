f:	push %rbx
	call *data(%rip)
	pop %rbx
	ret
