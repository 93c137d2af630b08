# size 3
f:	xor %eax, %eax
	ret
	push %rbx
	ret
