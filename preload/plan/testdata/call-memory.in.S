f:	push %rbx
	call *0x200(%rax)
	pop %rbx
	ret
