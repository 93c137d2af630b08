# A common prologue: whole instructions, the fifth byte inside the third.
f:	push %rbp
	mov %rsp, %rbp
	push %r15
	push %r14
	xor %eax, %eax
	pop %r14
	pop %r15
	pop %rbp
	ret
