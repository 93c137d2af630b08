# The pushed return address would move what the operand names.
f:	push %rbx
	call *8(%rsp)
	pop %rbx
	ret
